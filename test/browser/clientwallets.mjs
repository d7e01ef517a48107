// Signs in by the browser's client in a real Chromium with wallets as they come
// into browsers, against the real program, under a strict content policy.
//
//   node clientwallets.mjs CHROMIUM SERVER IDENTITIES DIST
//
// SERVER is the origin of a running sessiond, IDENTITIES the address of Internet
// Identity's canister (test/wallets), DIST the folder of the built package.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../sdk/test/bundle.mjs';
import { equip, ethereum, refuse, solana } from './fakewallets.mjs';
import { launch } from './launch.mjs';

const [executablePath, server, identities, dist] = process.argv.slice(2);
const { files } = await bundle(fileURLToPath(new URL('../../sdk/test/signinpage.ts', import.meta.url)));
const browser = await launch(executablePath);

let told = 0;
function ok(what) { told++; console.log(`ok - ${what}`); }

const body = `<!doctype html><html lang="en"><title>Home</title><p id="status"></p><p id="problem"></p><p id="done">0</p><p id="loaded"></p>
<div id="wallets"></div><div id="again"></div><button id="cancel">Cancel</button><button id="late">Late</button><button id="out">Sign out</button><script type="module" src="/page/signinpage.js"></script>`;
const policy = { 'Content-Security-Policy': "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:" };

// The window of Internet Identity, on an origin of its own: it speaks ICRC-29 and
// ICRC-34 with whoever opened it. What it does is told by its address's hash.
const windows = createServer(async (req, res) => {
  if (req.method === 'POST') {
    const answer = await fetch(identities, { method: 'POST', body: req, duplex: 'half' });
    res.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(await answer.text());
    return;
  }
  res.setHeader('Content-Type', 'text/html').end(`<!doctype html><title>Identity</title><script>
    addEventListener('message', async ({ source, origin, data: { id, method, params } }) => {
      const answer = async () => {
        if (method === 'icrc29_status') return { result: 'ready' };
        if (location.search === '?declines') return { error: { code: 3001, message: 'Action aborted' } };
        if (location.search === '?closes') { close(); return; }
        const res = await fetch('/', { method: 'POST', body: JSON.stringify({ person: 'ada', publicKey: params.publicKey }) });
        return { result: await res.json() };
      };
      const what = await answer();
      if (what) source.postMessage({ jsonrpc: '2.0', id, ...what }, origin);
    });
  </script>`);
});
await new Promise((done) => windows.listen(0, '127.0.0.1', done));
const identityProvider = `http://id.localhost:${windows.address().port}/authorize`;

const foreign = [];
async function visit(wallets, { search = '', built = false } = {}) {
  const context = await browser.newContext({ permissions: ['local-network-access'] });
  context.setDefaultTimeout(180_000);
  await equip(context, wallets);
  await context.route(`${server}/app*`, (r) => r.fulfill({ contentType: 'text/html', headers: policy, body }));
  await context.route(`${server}/page/*`, (r) => r.fulfill({ contentType: 'text/javascript', body: files.get(r.request().url().split('/').at(-1)) }));
  await context.route(`${server}/built`, (r) => r.fulfill({ contentType: 'text/html', headers: policy, body: '<!doctype html><title>Built</title>' }));
  await context.route(`${server}/sdk/**`, (r) => r.fulfill({ contentType: 'text/javascript', body: readFileSync(join(dist, normalize(new URL(r.request().url()).pathname.slice('/sdk/'.length))), 'utf8') }));
  const page = await context.newPage();
  page.on('pageerror', (e) => { throw e; });
  page.on('console', (m) => { if (/Content Security Policy/.test(m.text())) throw new Error(m.text()); });
  page.on('request', (r) => { if (!r.url().startsWith(`${server}/`) && !r.url().startsWith('data:')) foreign.push(r.url()); });
  await page.goto(built ? `${server}/built` : `${server}/app${search}`);
  if (!built) await status(page, 'unauthenticated');
  return page;
}
const status = (page, wanted) => page.waitForFunction((s) => document.getElementById('status').textContent === s, wanted);
const press = (page, name, list = 'wallets') => page.click(`#${list} button:has-text("${name}")`);
const offered = (page) => page.$$eval('#wallets button', (all) => all.map((b) => b.textContent));
// done waits until so many calls have come to a good end since the last time out.
async function done(page, n) {
  await page.waitForFunction((wanted) => document.getElementById('done').textContent === wanted || document.getElementById('problem').textContent, String(n));
  assert.equal(await page.textContent('#problem'), '');
}
const problem = async (page, wanted) => {
  await page.waitForFunction(() => document.getElementById('problem').textContent);
  assert.match(await page.textContent('#problem'), wanted);
};
const ours = async (page) => (await page.context().cookies(server)).filter((c) => c.name.startsWith('__Host-'));

async function isIn(page, address) {
  await status(page, 'authenticated');
  const seen = await page.evaluate(async () => (await (await fetch('/api/auth/sessions/validate')).json()).data);
  assert.equal(seen.valid, true);
  if (address) assert.equal(seen.address, address);
  const cookies = await ours(page);
  assert.ok(cookies.length === 2 && cookies.every((c) => c.httpOnly && c.secure));
  return seen.principal ?? seen.address;
}

async function out(page) {
  await page.evaluate(() => { document.getElementById('done').textContent = '0'; });
  await page.click('#out');
  await status(page, 'unauthenticated');
  for (let i = 0; (await ours(page)).length && i < 600; i++) await new Promise((done) => setTimeout(done, 100));
  assert.deepEqual(await ours(page), []);
}

// kept is all that a page's origin has stored, and where it has been.
const kept = (page) => page.evaluate(async () => {
  const out = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), location.href, document.cookie, JSON.stringify(history.state), ...(await caches.keys())];
  for (const r of performance.getEntriesByType('resource')) out.push(r.name);
  for (const { name } of await indexedDB.databases()) {
    out.push(name);
    const db = await new Promise((done) => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result); });
    for (const store of db.objectStoreNames) {
      const all = await new Promise((done) => { const r = db.transaction(store).objectStore(store).getAll(); r.onsuccess = () => done(r.result); });
      out.push(store, ...all.map((v) => JSON.stringify(v)));
    }
    db.close();
  }
  return out.join('\n');
});

// counts how often a wallet was asked.
const counting = (wallet) => {
  const asked = [];
  return { ...wallet, asked, times: (method) => asked.filter((m) => m === method).length, answer: (method, ...rest) => { asked.push(method); return wallet.answer(method, ...rest); } };
};

{
  const [a, b, s] = [ethereum('First'), ethereum('Second', { spell: (x) => x }), solana('Third')].map(counting);
  const page = await visit({ eip6963: [a, b], standard: [s], injectedEthereum: ethereum('x'), injectedSolana: solana('y') });
  assert.deepEqual((await offered(page)).sort(), ['First (ethereum)', 'Second (ethereum)', 'Third (solana)']);
  for (const [wallet, how] of [[a, 'in lower case'], [b, 'spelled right'], [s, 'of Solana']]) {
    await press(page, wallet.name);
    await done(page, 1);
    await isIn(page, wallet.address);
    const before = (await ours(page)).map((c) => c.value);
    await press(page, wallet.name, 'again');
    await done(page, 2);
    assert.ok((await ours(page)).every((c) => !before.includes(c.value)), 'the earlier tokens are replaced');
    await isIn(page, wallet.address);
    const text = (await kept(page)).toLowerCase();
    for (const secret of [wallet.address.toLowerCase(), wallet.name.toLowerCase(), 'ethereum', 'solana']) assert.ok(!text.includes(secret), `a page keeps ${secret}: ${text}`);
    assert.deepEqual(await page.evaluate(() => window.listeners.length), 0);
    await out(page);
    ok(`a wallet signs in and proves again, and nothing of it is kept: ${how}`);
  }

  await page.evaluate(() => { announceLate('Late'); unregister(); });
  assert.deepEqual((await offered(page)).sort(), ['Browser wallet (solana)', 'First (ethereum)', 'Late (ethereum)', 'Second (ethereum)']);
  ok('wallets come and go while the page is open');
  await page.context().close();
}

{
  const own = { injectedEthereum: ethereum('x'), injectedSolana: solana('y') };
  const page = await visit(own);
  assert.deepEqual(await offered(page), ['Browser wallet (ethereum)', 'Browser wallet (solana)']);
  for (const [chain, wallet] of [['ethereum', own.injectedEthereum], ['solana', own.injectedSolana]]) {
    await press(page, chain);
    await isIn(page, wallet.address);
    await out(page);
  }
  ok('wallets from before both standards');
  await page.context().close();
}

{
  let answer;
  const waits = () => new Promise((done) => { answer = done; });
  const slow = counting(ethereum('Slow', { personal_sign: (params, key) => waits().then(() => ethereum('x', { key }).answer('personal_sign', params)) }));
  const page = await visit({ eip6963: [slow, ethereum('Other')] });
  const until = async (so) => { for (let i = 0; !so() && i < 1800; i++) await new Promise((done) => setTimeout(done, 100)); assert.ok(so()); };
  await page.dblclick('#wallets button:has-text("Slow")');
  await until(() => slow.times('personal_sign') === 1);
  answer();
  await isIn(page, slow.address);
  assert.deepEqual(slow.asked, ['eth_requestAccounts', 'personal_sign']);
  await done(page, 2);
  await out(page);
  ok('a double click is one question, and both hear the answer');

  await press(page, 'Slow');
  await until(() => slow.times('personal_sign') === 2);
  assert.equal(await page.evaluate(() => listeners.length), 1);
  await page.evaluate(() => listeners.forEach((f) => f(['0x0000000000000000000000000000000000000001'])));
  await problem(page, /^wallet_wrong_account$/);
  assert.equal(await page.evaluate(() => listeners.length), 0);
  answer();
  ok('another account is chosen midway: nothing is sent, and nobody listens any more');

  await press(page, 'Slow');
  await until(() => slow.times('personal_sign') === 3);
  await page.click('#cancel');
  await problem(page, /^AbortError$/);
  answer();
  assert.deepEqual(await ours(page), []);
  ok('an abort');
  await page.context().close();
}

{
  let declines = true;
  const wallet = counting(ethereum('Wallet', { personal_sign: (params, key) => (declines ? refuse(4001, 'User rejected') : ethereum('x', { key }).answer('personal_sign', params)) }));
  const page = await visit({ eip6963: [wallet] });
  await press(page, 'Wallet');
  await problem(page, /^wallet_rejected: 4001$/);
  assert.deepEqual(await ours(page), []);
  declines = false;
  await press(page, 'Wallet');
  await isIn(page, wallet.address);
  await out(page);
  ok('a person who declines may try again');

  const signed = wallet.times('personal_sign');
  for (const [what, reason] of [
    [(m) => m.replace(/^\S+/, 'bank.example'), /^challenge_untrusted: the text is for bank.example/],
    [(m) => m.replace(/\nURI: [^\n]+/, '\nURI: https://bank.example/login'), /^challenge_untrusted: the text is not a sign-in$/],
    [() => `0x${'f8'.repeat(100)}`, /^challenge_untrusted/],
  ]) {
    await page.route('**/api/auth/challenge', async (route) => {
      const answer = await route.fetch();
      const json = await answer.json();
      json.data.message = what(json.data.message);
      await route.fulfill({ response: answer, json });
    });
    await press(page, 'Wallet');
    await problem(page, reason);
    await page.unroute('**/api/auth/challenge');
  }
  assert.equal(wallet.times('personal_sign'), signed);
  ok('what a hostile service asks is not signed');
  await page.context().close();
}

// Internet Identity. Its library gives a window up that is silent for two
// seconds, which a busy machine is too: then the person presses again.
{
  const pressed = async (page, list = 'wallets', wanted = (p) => !p) => {
    for (let i = 0; ; i++) {
      const done = await page.textContent('#done');
      await page.evaluate(() => { document.getElementById('problem').textContent = ''; });
      await press(page, 'Internet Identity', list);
      await page.waitForFunction((n) => document.getElementById('done').textContent !== n || document.getElementById('problem').textContent, done);
      const why = await page.textContent('#problem');
      if (wanted(why)) return;
      if (why !== 'popup_closed' || i === 30) throw new Error(`Internet Identity: ${why}`);
    }
  };
  const page = await visit({}, { search: `?identities=${encodeURIComponent(identityProvider)}` });
  await page.waitForFunction(() => document.getElementById('loaded').textContent);
  await pressed(page);
  const who = await isIn(page);
  assert.match(who, /^([a-z2-7]{5}-){10}[a-z2-7]{3}$/);
  await pressed(page, 'again');
  assert.equal(await isIn(page), who);
  const text = await kept(page);
  assert.ok(!text.includes('delegation') && !text.includes('auth-client') && !text.includes(who), text);
  await out(page);
  await pressed(page);
  assert.equal(await isIn(page), who, 'the same person again');
  await out(page);
  ok('Internet Identity by its library, in a window of another origin, and nothing of it is kept');

  await page.click('#late');
  await problem(page, /^popup_blocked$/);
  ok('a click that was let go by opens no window');
  await page.context().close();

  for (const [how, wanted] of [['declines', /^wallet_rejected: 3001$/], ['closes', /^popup_closed$/]]) {
    const other = await visit({}, { search: `?identities=${encodeURIComponent(`${identityProvider}?${how}`)}` });
    await other.waitForFunction(() => document.getElementById('loaded').textContent);
    await pressed(other, 'wallets', (p) => wanted.test(p));
    assert.deepEqual(await ours(other), []);
    await other.context().close();
  }
  ok('a person who declines or closes the window is not signed in');
}

// The package as it is published, without a bundler and without the library.
{
  const wallet = ethereum('Plain');
  const page = await visit({ eip6963: [wallet] }, { built: true });
  const [missing, address] = await page.evaluate(async () => {
    const { SessionManager } = await import('/sdk/index.js');
    const { discover, internetIdentity, signIn } = await import('/sdk/wallets/index.js');
    const sessions = new SessionManager({ apiUrl: '/api' });
    const code = await signIn(sessions, internetIdentity()).catch((e) => e.code);
    const found = discover();
    found.subscribe(() => undefined);
    await signIn(sessions, found.getSnapshot()[0]);
    return [code, (await (await fetch('/api/auth/sessions/validate')).json()).data.address];
  });
  assert.deepEqual([missing, address], ['library_missing', wallet.address]);
  ok('the package as it is published, and what it says where the library is missing');
  await page.context().close();
}

const odd = foreign.filter((u) => !u.startsWith('http://id.localhost'));
assert.deepEqual(odd, []);
ok('nothing was asked of another host');

windows.close();
windows.closeAllConnections();
await browser.close();
console.log(`${told} passed, 0 failed`);
