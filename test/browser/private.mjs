// Signs in privately on the page: set up by a person who is signed in, used by
// nobody in particular, and refused when the service lies.
//
//   node private.mjs CHROMIUM SERVER
//
// SERVER is the origin of a running sessiond --dev. Its group is open to one.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chain } from './chain.mjs';
import { launch } from './launch.mjs';

const [executablePath, server] = process.argv.slice(2);
const browser = await launch(executablePath);
let told = 0;
function ok(what) { told++; console.log(`ok - ${what}`); }

// --- what is watched in every browser ---

const sent = []; // requests of all pages, with their real headers
const faults = [];

// watch tells of the longest task of the page's own thread, and of each change
// of the progress.
function watch() {
  window.longest = 0;
  new PerformanceObserver((list) => { for (const e of list.getEntries()) window.longest = Math.max(window.longest, e.duration); }).observe({ type: 'longtask', buffered: true });
  window.progress = [];
  addEventListener('DOMContentLoaded', () => {
    if (location.protocol === 'about:') return;
    new MutationObserver(() => {
      const shown = !document.getElementById('work').hidden && [document.getElementById('stage').textContent, document.getElementById('percent').textContent].join(' ');
      if (shown && shown !== window.progress.at(-1)) window.progress.push(shown);
    }).observe(document.getElementById('work'), { subtree: true, childList: true, characterData: true, attributes: true });
  });
}

async function newBrowser() {
  const context = await browser.newContext();
  await context.addInitScript(watch);
  context.on('request', (r) => { sent.push(r); });
  return context;
}

async function open(context) {
  const page = await context.newPage();
  page.on('pageerror', (e) => faults.push(String(e)));
  page.on('console', (m) => { if (m.type() === 'error' && !/status of 40[014] /.test(m.text())) faults.push(m.text()); });
  await page.goto(`${server}/signin`);
  await page.waitForSelector('#out:not([hidden]), #in:not([hidden])');
  return page;
}

const problem = async (page) => {
  await page.waitForFunction(() => document.getElementById('problem').textContent);
  return page.textContent('#problem');
};
const ours = async (context) => (await context.cookies(server)).filter((c) => c.name.startsWith('__Host-'));

// --- setting it up ---

async function setUp() {
  const context = await newBrowser();
  const page = await open(context);
  await page.click('#device');
  await page.waitForSelector('#in:not([hidden])');
  await page.click('#setup');
  await page.waitForSelector('#keep:not([hidden])', { timeout: 60_000 });
  const key = await page.inputValue('#made');
  assert.match(key, /^([a-z2-7]{4}-)+[a-z2-7]{1,4}$/);
  await page.click('#kept');
  await page.waitForFunction(() => document.getElementById('membership').textContent, null, { timeout: 60_000 });
  assert.match(await page.textContent('#membership'), /your key can be used|becomes usable/); // the latter while the server publishes just then
  await entered();
  assert.equal(await page.inputValue('#made'), '', 'the key stays on the page');
  assert.ok(await page.isHidden('#keep'));
  return { context, page, key };
}

// entered waits until as many are in the group as were set up.
let setUps = 0;
async function entered() {
  setUps++;
  for (;;) {
    const { data } = await (await fetch(`${server}/api/auth/anonymous/group`)).json();
    if (data?.members >= setUps) return;
    await new Promise((done) => setTimeout(done, 200));
  }
}

// kept is all that a page keeps, shows or says.
const kept = (page) => page.evaluate(async () => {
  const out = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.documentElement.outerHTML, location.href, document.cookie, window.name, JSON.stringify(history.state)];
  for (const area of document.querySelectorAll('textarea')) out.push(area.value);
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result); });
    for (const store of db.objectStoreNames) {
      const all = await new Promise((done) => { const r = db.transaction(store).objectStore(store).getAll(); r.onsuccess = () => done(r.result); });
      out.push(JSON.stringify(all));
    }
    db.close();
  }
  return out.join('\n');
});

// --- using it ---

// enter signs in privately and returns the pseudonym, as the service tells it.
async function enter(page, key) {
  await page.fill('#key', key);
  const answered = page.waitForResponse((r) => r.url() === `${server}/api/auth/sessions` && r.request().method() === 'POST', { timeout: 60_000 });
  await page.click('#enter');
  const { data } = await (await answered).json();
  await page.waitForSelector('#quiet:not([hidden])');
  const { anonymous_id: who } = await page.evaluate(async (token) => {
    const res = await fetch('/api/auth/sessions/validate', { credentials: 'omit', headers: { Authorization: `Bearer ${token}` } });
    return (await res.json()).data;
  }, data.session_token);
  assert.match(who, /^anon_/);
  return { who, tokens: data };
}

async function fails(page, key, reason) {
  await page.fill('#key', key);
  await page.click('#enter');
  assert.match(await problem(page), reason);
  assert.ok(await page.isHidden('#quiet'));
  assert.ok(await page.isHidden('#work'));
}

const first = await setUp();
{
  const { context, page, key } = first;
  const progress = await page.evaluate(() => window.progress);
  assert.ok(progress.some((p) => /Loading.* [1-9]/.test(p)) && progress.some((p) => /proof.* [5-9]\d/.test(p)), progress.join('\n'));
  const everything = await kept(page);
  assert.ok(!everything.includes(key) && !everything.includes(key.replaceAll('-', '')), 'the key is kept');
  console.log(`# longest task of the page while setting up: ${await page.evaluate(() => window.longest)} ms`);
  ok('set up: the key is shown once and kept nowhere, the proof is made with progress');

  await page.click('#logout');
  await page.waitForSelector('#out:not([hidden])');
  assert.deepEqual(await ours(context), []);
  ok('signed out');
}

{
  const made = JSON.parse(readFileSync(new URL('../../anonymous/testdata/proofs.json', import.meta.url)));
  const values = await first.page.evaluate(async ({ service, epoch, nonce }) => {
    const { scope, message, enrolScope } = await import('/values.js');
    return [await scope(service, epoch), await message(service, nonce), await enrolScope(service, nonce)];
  }, made);
  assert.deepEqual(values, [made.signIn.scope, made.signIn.message, made.enrolment.scope]);
  ok('the values are those that the service computes');
}

let who;
{
  const { page, key } = first;
  const before = sent.length;
  const began = performance.now();
  const { who: name, tokens } = await enter(page, key);
  who = name;
  const progress = await page.evaluate(() => window.progress);
  for (const stage of [/Loading/, /list of members/, /Checking/, /proof.* [7-9]\d %/]) assert.ok(progress.some((p) => stage.test(p)), `${stage} of ${progress.join('\n')}`);
  console.log(`# longest task of the page while signing in: ${await page.evaluate(() => window.longest)} ms; signed in after ${Math.round(performance.now() - began)} ms`);
  console.log(`# ${progress.length} steps of progress were shown`);
  assert.equal(await page.textContent('#among'), '1');

  const anonymously = sent.slice(before);
  assert.ok(anonymously.length >= 6, `${anonymously.length} requests`);
  assert.ok(anonymously.some((r) => r.url().endsWith('/worker.js')));
  for (const r of anonymously) assert.equal((await r.allHeaders()).cookie, undefined, r.url());
  const everything = await kept(page);
  for (const secret of [tokens.session_token, tokens.refresh_token, key, key.replaceAll('-', '')]) assert.ok(!everything.includes(secret), 'a secret is kept');
  for (const r of sent) assert.ok(!r.url().includes('eyJ') && !r.url().includes('rt_') && !/[?&](?!after=)/.test(r.url()), r.url());
  assert.deepEqual(await ours(first.context), []);
  ok('signed in privately, with progress; no cookie goes along, and nothing secret is kept');

  await page.click('#quiet-end');
  await page.waitForSelector('#out:not([hidden])');
  assert.equal(await page.evaluate(async (token) => (await fetch('/api/auth/sessions/validate', { credentials: 'omit', headers: { Authorization: `Bearer ${token}` } })).status, tokens.session_token), 401);
  ok('signed out: the token is worth nothing');
}

{
  const { who: again, tokens } = await enter(first.page, ` ${first.key.toUpperCase().replaceAll('-', ' ')}\n`);
  assert.equal(again, who);
  ok('the same pseudonym again, with the key as a person types it');

  const other = await first.context.newPage(); // of the same browser
  await other.goto(`${server}/signin`);
  await first.page.goto('about:blank');
  await other.waitForFunction(async (token) => (await fetch('/api/auth/sessions/validate', { credentials: 'omit', headers: { Authorization: `Bearer ${token}` } })).status === 401, tokens.session_token);
  await other.close();
  await first.page.goto(`${server}/signin`);
  await first.page.waitForSelector('#out:not([hidden])');
  ok('leaving the page ends it');
}

{
  const { page, key } = first;
  await fails(page, '', /not a whole private key/);
  await fails(page, key.slice(0, -1), /not a whole private key/);
  await fails(page, (key[0] === 'a' ? 'b' : 'a') + key.slice(1), /not a whole private key/);
  await fails(page, key.slice(0, 20) + (key[20] === 'a' ? 'b' : 'a') + key.slice(21), /not a whole private key/);
  const foreign = await page.evaluate(async () => (await import('/key.js')).write('5', { service: 'other.example', epoch: 2592000, key: 'x' }));
  await fails(page, foreign, /your key was made for another one/);
  const { service, epoch, key: groupKey } = await page.evaluate(() => ({ ...document.querySelector('main').dataset }));
  const stranger = await page.evaluate(async (pins) => (await import('/key.js')).write('5', pins), { service, epoch: Number(epoch), key: groupKey });
  await fails(page, stranger, /not among the members/);
  ok('a key that is mistyped, of another service, or of nobody');
}

// --- a service that lies ---

// lie changes the data of an answer on its way.
async function lie(page, path, change) {
  await page.route(path, async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    change(answer.data);
    await route.fulfill({ response, json: answer });
  });
}

// staysOut tries to sign in against a lie, and sees that no proof leaves.
async function staysOut(page, key, path, change, reason) {
  await lie(page, path, change);
  const before = sent.length;
  await fails(page, key, reason);
  for (const r of sent.slice(before)) assert.ok(r.method() !== 'POST' || r.url().endsWith('/challenge'), `${r.method()} ${r.url()}`);
  await page.unroute(path);
}

{
  const { page, key } = first;
  const challenge = '**/api/auth/challenge', group = '**/anonymous/group', roots = '**/anonymous/roots*', members = '**/anonymous/pages/*';
  const [asks, changed, history, unfit] = [/could tell who you are/, /not the service that it was/, /other members than it showed/, /does not fit together/];
  const flip = (text) => (text[0] === 'A' ? 'B' : 'A') + text.slice(1);
  for (const [path, change, reason] of [
    [challenge, (c) => { c.scope = '7'; }, asks],
    [challenge, (c) => { c.message = '7'; }, asks],
    [challenge, (c) => { c.nonce = 'a b'; }, asks],
    [challenge, (c) => { c.epoch -= 2; }, asks],
    [challenge, (c) => { delete c.epoch; }, asks],
    [group, (g) => { g.service_id = 'other.example'; }, changed],
    [group, (g) => { g.epoch_length = 86400; }, changed],
    [group, (g) => { g.key = flip(g.key); }, changed],
    [group, (g) => { g.size = 2; }, unfit],
    [group, (g) => { g.root = '0'; }, unfit],
    [group, (g) => { g.signature = flip(g.signature); }, unfit],
    [group, (g) => { g.page_roots = []; }, unfit],
    [group, (g) => { g.page_roots = ['5']; }, /turn|again|renewed/],
    [members, (p) => { p.members.push('5'); }, unfit],
    [members, (p) => { p.members = []; }, unfit],
  ]) await staysOut(page, key, path, change, reason);
  ok('a scope, a message, an epoch, a service, a group or a page of the service’s choice is refused');

  await staysOut(page, key, group, (g) => { g.number++; }, unfit);
  ok('so is another number of a group that is known');
}

// Another member makes another snapshot: the list of them has to be followed.
const second = await setUp();
{
  const { page, key } = first;
  const roots = '**/anonymous/roots*';
  const [history, unfit, changed] = [/other members than it showed/, /does not fit together/, /not the service that it was/];
  await staysOut(page, key, roots, (r) => { r.roots = []; }, history);
  await staysOut(page, key, roots, (r) => { r.roots[0].number = 2; }, unfit);
  await staysOut(page, key, roots, (r) => { r.roots.at(-1).previous = 'A'.repeat(43); }, unfit);
  await staysOut(page, key, roots, (r) => { r.roots.push(r.roots[0]); }, history);
  // Signatures are good, and the history is another than this browser's.
  const seen = await page.evaluate(async () => (await import('/kept.js')).load());
  assert.equal(seen.head.number, 0);
  for (const [change, reason] of [[{ hash: 'A'.repeat(43) }, history], [{ number: 1 }, history], [{ number: 7 }, history], [{ size: 3 }, history], [{ epoch: seen.head.epoch + 1 }, history]]) {
    await page.evaluate(async (seen) => (await import('/kept.js')).save(seen), { ...seen, head: { ...seen.head, ...change } });
    await fails(page, key, reason);
  }
  await page.evaluate(async (seen) => (await import('/kept.js')).save(seen), { ...seen, key: 'A'.repeat(43) });
  await fails(page, key, changed);
  await page.evaluate(async (seen) => (await import('/kept.js')).save(seen), seen);
  ok('a fork, a group that is older than the known one, one that shrinks, and a service with another key are refused');

  assert.equal((await enter(page, key)).who, who);
  assert.equal((await page.evaluate(async () => (await import('/kept.js')).load())).head.number, 1);
  assert.equal(await page.textContent('#among'), '2');
  await page.click('#quiet-end');
  await page.waitForSelector('#out:not([hidden])');
  ok('and after all that the truth is followed: the same pseudonym, and a longer list is kept');
}

{
  const { context, page, key } = second;
  await page.click('#leave');
  await page.waitForFunction(() => /stops being good on/.test(document.getElementById('membership').textContent));
  ok('a key is given up, when its period is over');

  await page.click('#logout');
  await page.waitForSelector('#out:not([hidden])');
  const tab = await open(context);
  await tab.click('#device');
  await tab.waitForSelector('#in:not([hidden])');
  assert.equal((await ours(context)).length, 2);
  const before = sent.length;
  const other = await enter(page, key);
  assert.notEqual(other.who, who);
  assert.ok(sent.length - before >= 6, `${sent.length - before} requests`);
  await page.click('#quiet-end');
  await page.waitForSelector('#out:not([hidden])');
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  for (const r of sent.slice(before)) assert.equal((await r.allHeaders()).cookie, undefined, r.url());
  assert.equal((await ours(context)).length, 2);
  ok('beside a tab that is signed in under a name no cookie goes along, and none is lost');
}

// A long list, of another service: how the page asks for it, and what it keeps.
{
  const context = await newBrowser();
  const page = await open(context);
  const service = 'other.example';
  const { keys, key, list } = chain(service, 2500);
  let shown = list; // what the service has published
  const asked = [];
  await page.route('**/anonymous/group', (route) => route.fulfill({ json: { success: true, data: { ...shown.at(-1), service_id: service, epoch_length: 2592000, key, members: 1, page_roots: ['5'] } } }));
  await page.route('**/anonymous/roots*', (route) => {
    const after = new URL(route.request().url()).searchParams.get('after');
    asked.push(after);
    route.fulfill({ json: { success: true, data: { roots: after === null ? shown.slice(-100) : shown.slice(Number(after) + 1, Number(after) + 1001) } } });
  });
  const follow = (kept) => page.evaluate(async ({ pins, kept, now }) => {
    const { follow } = await import('/group.js');
    let last = null;
    try {
      await follow(pins, kept, (head) => { last = head; }, now);
      return { last };
    } catch (e) {
      return { last, problem: e.message };
    }
  }, { pins: { service, epoch: 2592000, key }, kept, now: Date.parse(list.at(-1).created_at) });
  const until = async (n, kept) => {
    shown = list.slice(0, n + 1);
    asked.length = 0;
    const { last, problem } = await follow(kept);
    assert.equal(problem, undefined, `to ${n} from ${kept?.number}`);
    assert.equal(last?.number ?? kept.number, n);
    return last;
  };
  for (const [from, way] of [[0, ['0', '999', '1999']], [1, ['0', '999', '1999']], [998, ['0', '999', '1999']], [999, ['999', '1999']], [1000, ['999', '1999']], [1998, ['999', '1999']], [1999, ['1999']], [2400, ['1999']]]) {
    const head = await until(from);
    assert.deepEqual(asked, [null]);
    await until(2499, head);
    assert.deepEqual(asked, way, `from ${from}`);
  }
  const head = await until(1500);
  await until(1500, head);
  assert.deepEqual(asked, []);
  await until(1999, head);
  ok('a list of thousands is followed from where everybody asks');

  const [history, unfit] = [/other members than it showed/, /does not fit together/];
  const other = chain(service, 2500, { keys, past: 6 }).list;
  for (const [what, change, reason] of [
    ['one is missing', (l) => l.splice(1700, 1), history],
    ['one is another', (l) => { l[1700] = { ...l[1700], size: 7 }; }, unfit],
    ['two are swapped', (l) => { [l[1700], l[1701]] = [l[1701], l[1700]]; }, history],
    ['it has another past', (l) => l.splice(0, l.length, ...other), history],
    ['it has another past from where it is known', (l) => l.splice(1501, l.length, ...other.slice(1501)), history],
    ['the known one alone is another', (l) => { l[1500] = other[1500]; }, history],
  ]) {
    shown = [...list];
    change(shown);
    assert.match((await follow(head)).problem ?? '', reason, what);
  }
  ok('a list with a gap, another entry or another past is refused');
  await context.close();
}

assert.deepEqual(faults, []);
ok('no fault on any page, and none of its policy');

await browser.close();
console.log(`${told} passed, 0 failed`);
