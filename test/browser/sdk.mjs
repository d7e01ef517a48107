// The browser's client in a real Chromium, against the real program that loses,
// refuses and delays answers.
//
//   node sdk.mjs CHROMIUM SERVER DIST SPECIFICATION ROUNDS
//
// SERVER is the origin of a running `sessiond serve --dev --chaos`, DIST the
// folder of the built package.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { launch } from './launch.mjs';
import { newPage } from './page.mjs';

const [executablePath, server, dist, specification, roundsText] = process.argv.slice(2);
const rounds = Number(roundsText);
const browser = await launch(executablePath);

let told = 0;
function ok(what) { told++; console.log(`ok - ${what}`); }

// The page stands on the service's own origin, with the package beside it.
const shell = `<!doctype html><title>Home</title><script type="module">
  import * as sdk from '/sdk/index.js';
  import { device } from '/device.js';
  import { base64url } from '/wallets.js';
  Object.assign(window, { sdk });
  window.credential = async () => {
    const account = await device.connect();
    for (;;) {
      const res = await fetch('/api/auth/challenge', { method: 'POST', credentials: 'omit', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ chain: device.chain, address: account.address, session_type: 'standard' }) });
      const answer = await res.json();
      if (!answer.success) { await new Promise((done) => setTimeout(done, 200)); continue; }
      const signed = await account.sign(answer.data.message);
      return base64url(new TextEncoder().encode(JSON.stringify({ v: 1, message: answer.data.message, ...signed })));
    }
  };
  window.begin = (config) => { window.m = new sdk.SessionManager({ apiUrl: location.origin + '/api', ...config }); return m.ready(); };
  window.signIn = () => sdk.retryWithBackoff(async () => m.createSession({ signature: await credential() }), 20);
  window.until = (status) => new Promise((done) => {
    const look = () => m.getSnapshot().status === status && done(JSON.parse(JSON.stringify({ ...m.getSnapshot(), at: Date.now() })));
    m.subscribe(look);
    look();
  });
  window.loaded = true;
</script>`;

async function newContext() {
  // A page that a test hands out has no address, and may reach this machine only if let.
  const context = await browser.newContext({ permissions: ['local-network-access'] });
  await context.route(`${server}/app`, (route) => route.fulfill({ contentType: 'text/html', body: shell }));
  await context.route(`${server}/sdk/*`, (route) => {
    const name = normalize(new URL(route.request().url()).pathname.slice('/sdk/'.length));
    return route.fulfill({ contentType: 'text/javascript', body: readFileSync(join(dist, name), 'utf8') });
  });
  return context;
}

async function open(context, config = {}) {
  const page = await newPage(context);
  await page.goto(`${server}/app`);
  await page.waitForFunction('window.loaded');
  await page.evaluate((c) => begin(c), config);
  return page;
}

const cookies = async (context) => Object.fromEntries((await context.cookies(server)).map((c) => [c.name, c.value]));
const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const kept = (page) => page.evaluate(async () => {
  const out = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), location.href, document.cookie, history.state];
  for (const r of performance.getEntriesByType('resource')) out.push(r.name);
  for (const name of await caches.keys()) out.push(name, ...(await (await caches.open(name)).keys()).map((r) => r.url));
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result); });
    for (const store of db.objectStoreNames) {
      const all = await new Promise((done) => { const r = db.transaction(store).objectStore(store).getAll(); r.onsuccess = () => done(r.result); });
      out.push(...all.map((v) => JSON.stringify(v)));
    }
    db.close();
  }
  return out.join('\n');
});

for (const [mode, config] of [['cookie', {}], ['header', { transport: 'header' }]]) {
  const context = await newContext();
  const first = await open(context, config);
  await first.evaluate(() => signIn());
  const tabs = [first];
  while (tabs.length < 10) tabs.push(await open(context, config));
  await Promise.all(tabs.map((t) => t.evaluate(() => until('authenticated'))));
  const newest = async () => claims(mode === 'cookie' ? (await cookies(context))['__Host-s'] : await first.evaluate(() => m.getToken()));
  const before = (await newest()).gen;
  for (let round = 0; round < rounds; round++) {
    await Promise.all(tabs.map((t) => t.evaluate(() => m.refreshSession().then(() => undefined))));
  }
  const steps = (await newest()).gen - before;
  const signedOut = (await Promise.all(tabs.map((t) => t.evaluate(() => m.getSnapshot().status)))).filter((s) => s !== 'authenticated').length;
  console.log(`${mode}: ${tabs.length} tabs, ${rounds} rounds, answers lost: ${steps} steps, ${signedOut} wrong sign-outs`);
  assert.equal(signedOut, 0);
  assert.equal(steps, rounds);
  ok(`${mode}: one step a round for all tabs, and nobody signed out`);

  if (mode === 'cookie') {
    const secrets = Object.values(await cookies(context));
    const text = await kept(first);
    const csrf = await first.evaluate(async () => (await (await fetch('/api/auth/sessions/current')).json()).data?.csrf_token ?? '');
    for (const secret of [...secrets, csrf, 'rt_', 'eyJ', 'sess_'].filter(Boolean)) assert.ok(!text.includes(secret), `a page keeps ${secret.slice(0, 4)}…`);
    ok('cookie: nothing secret in storages, caches, addresses');
  } else {
    const text = await kept(first);
    assert.ok(!text.includes('rt_') && !text.includes('eyJ'), 'a token lies open');
    await first.reload();
    await first.waitForFunction('window.loaded');
    await first.evaluate((c) => begin(c), config);
    assert.equal((await first.evaluate(() => until('authenticated'))).status, 'authenticated');
    assert.ok((await first.evaluate(() => m.getToken())).startsWith('eyJ'));
    ok('header: tokens are encrypted, and survive a reload');
  }

  await context.setOffline(true);
  for (const t of tabs.slice(0, 3)) {
    assert.equal(await t.evaluate(async () => {
      for (;;) {
        const code = await m.refreshSession().catch((e) => e.code);
        if (code !== 'unavailable') return code;
        await new Promise((done) => setTimeout(done, 200)); // the Retry-After of an earlier refusal
      }
    }), 'network_error');
    assert.deepEqual(await t.evaluate(() => [m.getSnapshot().status, m.getSnapshot().connection]), ['authenticated', 'lost']);
  }
  await context.setOffline(false);
  assert.equal(await first.evaluate(() => sdk.retryWithBackoff(() => m.refreshSession(), 10).then(() => m.getSnapshot().connection)), 'ok');
  ok(`${mode}: offline and back: still signed in`);

  // Ended in one tab, or from elsewhere, which the sockets tell.
  for (let i = 0; i < 600 && !tabs.every((t) => t.hears); i++) await new Promise((done) => setTimeout(done, 100));
  assert.ok(tabs.every((t) => t.hears), 'a tab has no socket');
  ok(`${mode}: every tab has its socket`);
  const gone = tabs.slice(1).map((t) => t.evaluate(() => until('unauthenticated')));
  const at = Date.now();
  if (mode === 'cookie') await first.evaluate(() => m.logout());
  else {
    const token = await first.evaluate(() => m.getToken());
    for (let status = 0; status !== 200;) {
      status = await fetch(`${server}/api/auth/sessions?include=current`, { method: 'DELETE', headers: { Authorization: `Bearer ${token}` } }).then((r) => r.status, () => 0);
    }
  }
  const ends = await Promise.all(gone);
  assert.ok(ends.every((e) => e.reason === 'logout'), JSON.stringify(ends.map((e) => e.reason)));
  console.log(`${mode}: the last of ${ends.length} tabs knew after ${Math.max(...ends.map((e) => e.at)) - at} ms`);
  ok(`${mode}: ${mode === 'cookie' ? 'logout' : 'an end from elsewhere'} reaches every tab`);
  await context.close();
}

// The specification's class and ours, each with its own session at one server.
// Ours is in header mode: the server refuses a call with a cookie and a Bearer,
// so theirs cannot run where cookies are.
{
  const text = readFileSync(specification, 'utf8');
  const block = [...text.matchAll(/```javascript\n([\s\S]*?)```/g)].map((m) => m[1]).find((b) => b.startsWith('class SessionManager '));
  const alone = await newContext();
  const ours = await open(alone, { transport: 'header' });
  await ours.evaluate(() => signIn());
  const both = await ours.evaluate(async (code) => {
    const Theirs = new Function(`${code}; return SessionManager;`)();
    const again = async (work) => { for (;;) { try { return await work(); } catch { await new Promise((done) => setTimeout(done, 200)); } } };
    const theirs = new Theirs({ apiUrl: `${location.origin}/api`, storage: sessionStorage });
    await again(async () => theirs.createSession({ signature: await credential() }));
    await again(() => theirs.refreshSession());
    const answers = [];
    for (const manager of [theirs, m]) {
      let v;
      do v = await manager.validateSession(); while (['unavailable', 'network_error', 'rate_limited'].includes(v.reason));
      answers.push(v.valid);
    }
    return answers;
  }, block);
  assert.deepEqual(both, [true, true]);
  ok("the specification's client, unchanged, beside ours");
  await alone.close();
}

// The example, as it stands.
{
  const context = await newContext();
  const example = readFileSync(new URL('../../examples/plain/index.html', import.meta.url), 'utf8');
  await context.route(`${server}/example`, (route) => route.fulfill({ contentType: 'text/html', body: example }));
  const page = await open(context);
  await page.evaluate(() => signIn());
  await page.goto(`${server}/example`);
  await page.waitForFunction(() => document.getElementById('status').textContent.startsWith('Signed in until'));
  await page.click('#out');
  await page.waitForFunction(() => document.getElementById('status').textContent === 'Not signed in.');
  ok('the example shows who is signed in, and signs out');
  await context.close();
}

await browser.close();
console.log(`${told} passed, 0 failed`);
