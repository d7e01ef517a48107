// Signs in anonymously in a real Chromium by the built package, against the real
// program and under a strict content policy; and against a crowd of thousands.
//
//   node anonymous.mjs CHROMIUM SERVER DIST CROWD ARTIFACTS
//
// SERVER is the origin of a running `sessiond serve --dev`, whose group is open
// to one; DIST the folder of the built package; CROWD the origin of a
// sessiontest.Members, which lets one more stranger in at POST /grow; ARTIFACTS
// the folder of the prover's files.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { launch } from './launch.mjs';

const [executablePath, server, dist, crowd, artifacts] = process.argv.slice(2);
const browser = await launch(executablePath);
const patience = 120_000; // for what takes long on a machine that does much else
let told = 0;
function ok(what) { told++; console.log(`ok - ${what}`); }

const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";
const app = `
  import * as sdk from '/sdk/index.js';
  import { AnonymousDevice } from '/sdk/anonymous/index.js';
  import { device as wallet } from '/device.js';
  import { base64url } from '/wallets.js';
  window.sdk = sdk;
  window.credential = async () => {
    const account = await wallet.connect();
    const res = await fetch('/api/auth/challenge', { method: 'POST', credentials: 'omit', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ chain: wallet.chain, address: account.address, session_type: 'standard' }) });
    const { message } = (await res.json()).data;
    return base64url(new TextEncoder().encode(JSON.stringify({ v: 1, message, ...await account.sign(message) })));
  };
  window.named = async () => {
    const m = window.person = new sdk.SessionManager({ apiUrl: '/api', events: false });
    await m.ready();
    if (m.getSnapshot().status !== 'authenticated') await m.createSession({ signature: await credential() });
    return m;
  };
  window.open = (config = {}) => {
    window.stages = [];
    window.device = new AnonymousDevice({ apiUrl: '/api', minMembers: 1, onProgress: (stage, done) => { stages.push([stage, done]); }, ...config });
  };
  window.nobody = (apiUrl = '/api') => window.stranger = new sdk.SessionManager({ apiUrl, storage: new sdk.MemoryStorage() });
  window.outcome = (work) => work().then((value) => ({ value: JSON.parse(JSON.stringify(value ?? null)) }), (e) => ({ code: e.code ?? String(e), text: e.message + e.stack + e.cause }));
  window.timed = async (work) => { window.longest = 0; const began = performance.now(); const value = await work(); await new Promise((done) => setTimeout(done)); return { value, ms: Math.round(performance.now() - began), longest: window.longest ? Math.round(window.longest) + ' ms' : 'under 50 ms' }; };
  window.loaded = true;`;

// watch tells of the longest task of the page's own thread.
function watch() {
  window.longest = 0;
  new PerformanceObserver((list) => { for (const e of list.getEntries()) window.longest = Math.max(window.longest, e.duration); }).observe({ type: 'longtask' });
}

const sent = []; // requests of all pages, with their real headers
const faults = [];
let denied; // what the policy stopped
let sockets = 0; // the pages' managers under a name have none

async function newContext() {
  const context = await browser.newContext({ permissions: ['local-network-access'] });
  await context.addInitScript(watch);
  context.on('request', (r) => { sent.push(r); });
  const script = (body) => ({ contentType: 'text/javascript', headers: { 'Content-Security-Policy': policy }, body });
  await context.route(`${server}/app`, (r) => r.fulfill({ contentType: 'text/html', headers: { 'Content-Security-Policy': policy }, body: '<!doctype html><title>Home</title><script type="module" src="/app.js"></script>' }));
  await context.route(`${server}/app.js`, (r) => r.fulfill(script(app)));
  await context.route(`${server}/sdk/**`, (r) => r.fulfill(script(readFileSync(join(dist, normalize(new URL(r.request().url()).pathname.slice('/sdk/'.length)))))));
  await context.route(`${server}/crowd/**`, async (r) => {
    const response = await r.fetch({ url: r.request().url().replace(`${server}/crowd`, crowd) });
    await r.fulfill({ response });
  });
  return context;
}

async function open(context) {
  const page = await context.newPage();
  page.on('websocket', () => { sockets++; });
  page.on('pageerror', (e) => faults.push(String(e)));
  page.on('console', (m) => { if (/Content.Security.Policy/i.test(m.text())) denied = m.text(); });
  await page.goto(`${server}/app`);
  await page.waitForFunction('window.loaded', null, { timeout: patience });
  return page;
}

// kept is all that a page keeps, shows or says.
const kept = (page) => page.evaluate(async () => {
  const plain = (v) => (ArrayBuffer.isView(v) ? String.fromCharCode(...v) : typeof v === 'object' && v !== null ? `${v}${JSON.stringify(v)}` : String(v));
  const out = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.documentElement.outerHTML, location.href, document.cookie, window.name, JSON.stringify(history.state)];
  for (const r of performance.getEntries()) out.push(r.name);
  for (const name of await caches.keys()) out.push(name, ...(await (await caches.open(name)).keys()).map((r) => r.url));
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result); });
    for (const store of db.objectStoreNames) {
      const kv = db.transaction(store).objectStore(store);
      for (const r of [kv.getAllKeys(), kv.getAll()]) out.push(...(await new Promise((done) => { r.onsuccess = () => done(r.result); })).map(plain));
    }
    db.close();
  }
  return out.join('\n');
});

const pseudonym = (page) => page.evaluate(async () => {
  const res = await fetch('/api/auth/sessions/validate', { credentials: 'omit', headers: { Authorization: `Bearer ${await stranger.getToken()}` } });
  return (await res.json()).data.anonymous_id;
});
const signIn = (page) => page.evaluate(() => timed(() => device.signIn(nobody())));
const outcome = (page, work) => page.evaluate(`outcome(async () => ${work})`);
const isNamed = (r) => /\/(challenge|anonymous\/members)$/.test(r.url()) && r.headers()['session-csrf'];
const pagesAsked = (since) => sent.slice(since).filter((r) => /\/anonymous\/pages\//.test(r.url())).length;

// entered waits until the service lets the identity in: at once, if it does nothing else just then.
const entered = (page) => page.waitForFunction(() => device.look().then((l) => l.entered, () => false), null, { timeout: patience, polling: 500 });

// anonymously tells that no request since then carried a cookie, but for those
// that are of a name by their nature.
async function anonymously(since) {
  const ours = sent.slice(since);
  for (const r of ours) {
    const headers = await r.allHeaders();
    // What a cache asks with can be another for each browser, as a cookie is.
    for (const name of ['cookie', 'if-none-match', 'if-modified-since']) assert.equal(headers[name], undefined, `${name} of ${r.url()}`);
  }
  return ours;
}

// --- setting up, under a name ---

const context = await newContext();
let page = await open(context);
const secrets = [];
let backup, revealed, name;
{
  await page.evaluate(() => named());
  assert.ok((await context.cookies(server)).some((c) => c.name === '__Host-s'), 'nobody is signed in');
  await page.evaluate(() => open());
  const created = await page.evaluate(() => timed(() => device.create()));
  backup = await page.evaluate(() => device.backup('a passphrase of a person'));
  revealed = await page.evaluate(() => device.reveal());
  secrets.push(revealed, revealed.replaceAll('-', ''), backup);
  const enrolled = await page.evaluate(() => timed(() => device.enrol(person)));
  assert.match(enrolled.value, /^(member|waiting)$/);
  await entered(page);
  assert.ok((await page.evaluate(() => stages)).some(([stage, done]) => stage === 'proving' && done > 0.5));
  console.log(`# an identity was made in ${created.ms} ms, and enrolled in ${enrolled.ms} ms; longest task ${created.longest}, and ${enrolled.longest}`);
  assert.equal(denied, undefined, 'the policy stopped something');
  ok('an identity is made, backed up and enrolled under a name and a strict policy');
}

// --- signing in, beside the name ---

{
  await page.evaluate(() => { stages.length = 0; });
  const since = sent.length;
  const first = await signIn(page);
  name = await pseudonym(page);
  assert.match(name, /^anon_/);
  assert.equal(first.value.session_type, 'anonymous');
  secrets.push(first.value.session_token, first.value.refresh_token);
  const ours = await anonymously(since);
  for (const path of ['/worker.js', '/wasm_exec.js', '/anonymous/group', '/challenge', '/auth/sessions']) assert.ok(ours.some((r) => r.url().includes(path)), path);
  assert.equal(ours.filter((r) => /\/artifacts\//.test(r.url())).length, 3);
  console.log(`# signed in after ${first.ms} ms, the prover's files from the browser's cache; longest task ${first.longest}`);
  const stages = await page.evaluate(() => [...new Set(window.stages.map(([stage]) => stage))]);
  assert.deepEqual(stages, ['loading', 'group', 'pages', 'proving', 'sending']);
  ok('signed in anonymously beside a session under a name: no cookie goes along, not even to the worker');

  await page.evaluate(() => stranger.reportActivity());
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await anonymously(since);
  assert.equal(sockets, 0, 'a handshake carried the cookies');
  const everything = await kept(page);
  for (const secret of secrets) assert.ok(!everything.includes(secret), 'a secret is kept');
  assert.ok(!/rt_|eyJ|anonymous:/.test(everything.replace(/https?:\/\/\S*/g, '')), 'a token is kept');
  for (const r of sent) assert.ok(!/eyJ|rt_|[?&](?!after=)/.test(r.url()) && !secrets.some((s) => r.url().includes(s)), r.url());
  ok('no secret in Web Storage, IndexedDB, caches, addresses or the page');
}

{
  await page.close();
  page = await open(context);
  await page.evaluate(() => open());
  assert.equal(await page.evaluate(() => device.hasIdentity()), true);
  const since = sent.length;
  const again = await signIn(page);
  assert.equal(await pseudonym(page), name);
  assert.equal(pagesAsked(since), 0);
  assert.equal(await page.evaluate(() => stranger.logout()), true);
  assert.equal(await page.evaluate(() => device.hasIdentity()), true);
  await anonymously(since);
  assert.ok((await context.cookies(server)).some((c) => c.name === '__Host-s'), 'signing out of nobody signed somebody out');
  console.log(`# signed in again after a reload, in ${again.ms} ms; longest task ${again.longest}`);
  ok('after a reload the same pseudonym, and no page is asked for; signing out leaves the identity, and the name, where they are');
}

{
  const other = await newContext();
  const second = await open(other);
  await second.evaluate(async () => { const m = await named(); open(); await device.create(); await device.enrol(m); });
  await entered(second);
  const tabs = [page, await open(context)];
  await tabs[1].evaluate(() => open());
  const before = sent.length;
  const both = await Promise.all(tabs.map(signIn));
  assert.deepEqual(await Promise.all(tabs.map(pseudonym)), [name, name]);
  assert.ok(pagesAsked(before) >= 1, 'no page was asked for');
  await anonymously(before);
  const [one, two] = await Promise.all(tabs.map((t) => t.evaluate(() => device.known())));
  assert.deepEqual(one, two);
  assert.equal(one.number, 1);
  console.log(`# two tabs at once, after the group changed: ${both.map((b) => b.ms).join(' and ')} ms`);
  ok('two tabs at once, when another has joined: the same pseudonym, one history');
  await tabs[1].close();
  await other.close();
}

// --- what is between the service and this package ---

{
  const fits = await page.evaluate(async () => {
    const { read, write } = await import('/key.js');
    const { pins: { serviceId: service, epochLength: epoch, key } } = await device.known();
    const pins = { service, epoch, key };
    const text = await device.reveal();
    return (await write(await read(text, pins), pins)) === text;
  });
  assert.ok(fits);
  ok("the service's own page takes the same key");

  const since = sent.length;
  await page.route(`${server}/files/*`, (r) => {
    const digest = new URL(r.request().url()).pathname.split('/').at(-1);
    const sums = readdirSync(artifacts).filter((f) => f.endsWith('.sha256')).map((f) => readFileSync(join(artifacts, f), 'utf8')).join('\n');
    const file = sums.split('\n').find((line) => line.startsWith(digest))?.split(/\s+/)[1];
    return r.fulfill({ contentType: 'application/octet-stream', body: readFileSync(join(artifacts, `${file}.gz`)) });
  });
  await page.evaluate(() => open({ artifacts: '/files', worker: () => new Worker('/worker.js', { type: 'module', credentials: 'omit' }) }));
  await signIn(page);
  assert.equal(await pseudonym(page), name);
  assert.equal(sent.slice(since).filter((r) => r.url().startsWith(`${server}/files/`)).length, 3);
  assert.ok(!sent.slice(since).some((r) => r.url().includes('/artifacts/')));
  ok("the prover's files may be the page's own, and the worker the service's");
}

// --- a service, or a carrier, that lies ---

// ask sends a page's request on, as this program: a route's own would send the
// browser's cookies along.
async function ask(request, url = request.url()) {
  const response = await fetch(url, { method: request.method(), body: request.postData() ?? undefined, headers: { 'Content-Type': 'application/json' } });
  return { status: response.status, answer: await response.json() };
}

// lie changes the data of an answer on its way.
async function lie(path, change) {
  await page.route(path, async (route) => {
    const { status, answer } = await ask(route.request());
    if (answer.data) change(answer.data);
    await route.fulfill({ status, json: answer });
  });
}

// staysOut tries to sign in against a lie, and sees that no proof leaves.
async function staysOut(path, code, config = '{}') {
  await page.evaluate(`open(${config})`);
  const before = sent.length;
  const got = await outcome(page, 'device.signIn(nobody())');
  assert.equal(got.code, code, `${path}: ${JSON.stringify(got)}`);
  for (const secret of secrets) assert.ok(!got.text.includes(secret), 'an error tells a secret');
  for (const r of sent.slice(before)) assert.ok(r.method() !== 'POST' || r.url().endsWith('/challenge'), `${r.method()} ${r.url()}`);
  assert.ok(!(await page.evaluate(() => stages)).some(([stage]) => stage === 'proving'), 'a proof was made');
  await page.unroute(path);
}

{
  const digests = Object.fromEntries(readdirSync(artifacts).filter((f) => f.endsWith('.sha256')).flatMap((f) => readFileSync(join(artifacts, f), 'utf8').trim().split('\n')).map((line) => line.split(/\s+/).reverse()));
  for (const file of ['prover.wasm', 'semaphore-20.wasm', 'semaphore-20.zkey']) {
    const body = gunzipSync(readFileSync(join(artifacts, `${file}.gz`)));
    body[body.length - 1] ^= 1;
    // Under another path than before, so that no cache answers.
    const path = `${server}/changed-${file}/*`;
    await page.route(path, (r) => {
      const asked = Object.entries(digests).find(([, d]) => r.request().url().endsWith(d))?.[0];
      return r.fulfill({ contentType: 'application/octet-stream', body: asked === file ? body : readFileSync(join(artifacts, `${asked}.gz`)) });
    });
    await staysOut(path, 'prover_unavailable', `{ artifacts: '/changed-${file}' }`);
  }
  ok('a prover, a circuit or a key of another content is not run');

  const flip = (text) => (text[0] === 'A' ? 'B' : 'A') + text.slice(1);
  const challenge = '**/api/auth/challenge', group = '**/api/auth/anonymous/group';
  for (const [path, change, code] of [
    [challenge, (c) => { c.scope = '7'; }, 'challenge_refused'],
    [challenge, (c) => { c.message = '7'; }, 'challenge_refused'],
    [challenge, (c) => { c.epoch -= 2; }, 'challenge_refused'],
    [group, (g) => { g.service_id = 'other.example'; }, 'service_changed'],
    [group, (g) => { g.epoch_length = 86400; }, 'service_changed'],
    [group, (g) => { g.key = flip(g.key); }, 'service_changed'],
    [group, (g) => { g.size = 1; }, 'group_invalid'],
    [group, (g) => { g.signature = flip(g.signature); }, 'group_invalid'],
    [group, (g) => { g.page_roots = ['5']; }, 'not_found'],
  ]) {
    await lie(path, change);
    await staysOut(path, code);
  }
  ok('a scope, a message, an epoch, a service or a group of its choice is refused');
}

// --- a crowd of thousands, with the real tree and the real prover ---

{
  const at = `{ apiUrl: '/crowd/api', minMembers: 20, storage: 'memory', artifacts: '/api/auth/anonymous/artifacts' }`;
  await page.evaluate(`open(${at})`);
  // Whoever asks it may enrol: any bearer is somebody's standard session.
  await page.evaluate(async () => {
    await device.create();
    const end = new Date(Date.now() + 3600_000).toISOString();
    const m = new sdk.SessionManager({ apiUrl: '/crowd/api', storage: new sdk.MemoryStorage() });
    await m.storeSession({ session_id: 'sess_x', session_type: 'standard', permissions: [], expires_at: end, idle_expires_at: end, session_expires_at: end, session_token: 'somebody', refresh_token: 'x', expires_in: 3600, refresh_at: null });
    await device.enrol(m);
    m.dispose();
  });
  const grow = () => fetch(`${crowd}/grow`, { method: 'POST' });
  await grow();
  let since = sent.length;
  const first = await page.evaluate(() => timed(() => device.look()));
  assert.ok(first.value.members > 8192 && first.value.entered, JSON.stringify(first.value));
  assert.equal(pagesAsked(since), 3);
  console.log(`# ${first.value.members} members in 3 pages: downloaded and checked in ${first.ms} ms; longest task ${first.longest}`);
  await grow();
  since = sent.length;
  const began = await page.evaluate(() => { window.from = performance.now(); return stages.length; });
  const signed = await page.evaluate(() => timed(() => device.signIn(nobody('/crowd/api'))));
  assert.equal(pagesAsked(since), 1);
  assert.equal(signed.value.session_type, 'anonymous');
  assert.ok(began > 0);
  console.log(`# signed in among them after ${signed.ms} ms, one page of three asked for; longest task ${signed.longest}`);
  ok('among thousands only the page that changed is asked for, and the proof is good');

  await grow();
  await page.route('**/crowd/api/auth/anonymous/pages/*', async (route) => {
    const { answer } = await ask(route.request(), route.request().url().replace(`${server}/crowd`, crowd));
    answer.data.members[0] = '5';
    await route.fulfill({ json: answer });
  });
  const before = sent.length;
  assert.equal((await outcome(page, `device.signIn(nobody('/crowd/api'))`)).code, 'group_invalid');
  assert.ok(!sent.slice(before).some((r) => r.method() === 'POST'));
  await page.unroute('**/crowd/api/auth/anonymous/pages/*');
  assert.equal((await outcome(page, `device.signIn(nobody('/crowd/api'))`)).code, undefined);
  ok('a page with other members is not kept, wherever the own one is');
}

// --- the end ---

{
  await page.evaluate(() => open());
  await page.evaluate(async () => { await named(); await person.logout(); });
  await page.waitForFunction(async () => (await indexedDB.databases()).length === 0 || !(await device.hasIdentity()), null, { timeout: patience });
  assert.equal(await page.evaluate(() => device.hasIdentity()), false);
  ok("signing out under a name clears the site's storage, and the identity with it");

  page = (await page.close(), await open(context));
  await page.evaluate(() => open());
  assert.equal((await outcome(page, `device.restore(${JSON.stringify(backup)}, 'another passphrase')`)).code, 'backup_invalid');
  await page.evaluate((b) => device.restore(b, 'a passphrase of a person'), backup);
  await signIn(page);
  assert.equal(await pseudonym(page), name);
  ok('a backup brings it back: the same pseudonym');

  await page.evaluate(() => device.wipe());
  const left = await page.evaluate(async () => {
    const db = await new Promise((done) => { const r = indexedDB.open('mv'); r.onsuccess = () => done(r.result); });
    const keys = db.transaction('kv').objectStore('kv').getAllKeys();
    return new Promise((done) => { keys.onsuccess = () => { db.close(); done(keys.result); }; });
  });
  assert.deepEqual(left, ['key']);
  ok('wiped: nothing of the service is left');
}

const size = ['prover.wasm', 'semaphore-20.wasm', 'semaphore-20.zkey'].map((f) => readFileSync(join(artifacts, `${f}.gz`)).length).reduce((a, b) => a + b);
console.log(`# downloaded once: ${(size / 1e6).toFixed(1)} MB of prover, circuit and key, packed`);
assert.ok(existsSync(join(dist, 'anonymous/wasm_exec.LICENSE')));
assert.deepEqual(faults, []);
assert.equal(denied, undefined, 'the policy stopped something');
await browser.close();
console.log(`${told} passed, 0 failed`);
