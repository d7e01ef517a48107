// The pages of these tests: on the service's own origin, with the built package
// beside them.
import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';

let told = 0;
export function ok(what) { told++; console.log(`ok - ${what}`); }
export function finish() { console.log(`${told} passed, 0 failed`); }

// A run that hangs ends, and says so.
setTimeout(() => { throw new Error('it has not ended after eight minutes'); }, 480_000).unref();

/** What nobody may see who is not signed in. */
export const notes = 'The notes of Tuesday';

const shell = `<!doctype html><html lang="en"><title>Home</title><p id="notes"></p><script type="module">
  import { device } from '/device.js';
  import { base64url } from '/wallets.js';
  const sdk = await import(new URLSearchParams(location.search).get('sdk') ?? '/sdk/index.js');
  Object.assign(window, { sdk });
  /** A credential for a sign-in, or for a fresh authentication of the session that is here. */
  window.credential = async (again = false) => {
    const account = await device.connect();
    const ask = (body, how) => how('/api/auth/challenge', { method: 'POST', credentials: 'omit', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    for (;;) {
      const res = again ? await ask({ purpose: 'reauthenticate' }, (...a) => m.fetch(...a)) : await ask({ chain: device.chain, address: account.address, session_type: 'standard' }, fetch);
      const answer = await res.json();
      if (!answer.success) { await new Promise((done) => setTimeout(done, 200)); continue; }
      const signed = await account.sign(answer.data.message);
      return base64url(new TextEncoder().encode(JSON.stringify({ v: 1, message: answer.data.message, ...signed })));
    }
  };
  window.begin = (config) => {
    window.m = new sdk.SessionManager({ apiUrl: location.origin + '/api', ...config });
    window.ends = 0;
    m.onSessionChange((event) => { if (event === 'signed_out') ends++; });
    const place = document.getElementById('notes');
    const show = () => { place.textContent = m.getSnapshot().status === 'authenticated' ? '${notes}' : ''; };
    m.subscribe(show);
    show();
    return m.ready();
  };
  window.signIn = () => sdk.retryWithBackoff(async () => m.createSession({ signature: await credential() }), 20);
  /** Whether the session is good, asked until the service tells. */
  window.valid = async () => {
    for (;;) {
      const v = await m.validateSession();
      if (!['unavailable', 'network_error', 'rate_limited'].includes(v.reason)) return v.valid;
      await new Promise((done) => setTimeout(done, 200));
    }
  };
  /** Refreshes, until it succeeds or fails for good. */
  window.refresh = () => sdk.retryWithBackoff(() => m.refreshSession(), 20).then(() => undefined);
  window.until = (status, connection) => new Promise((done) => {
    const look = () => {
      const s = m.getSnapshot();
      if (s.status === status && (!connection || s.connection === connection)) done(JSON.parse(JSON.stringify({ ...s, at: Date.now() })));
    };
    m.subscribe(look);
    look();
  });
  window.loaded = true;
</script>`;

/** Gives the context's pages /app, the packages by the folder under which each is served, and /elsewhere. */
export async function furnish(context, server, packages) {
  await context.route((url) => url.origin === server && url.pathname === '/app', (route) => route.fulfill({ contentType: 'text/html', body: shell }));
  await context.route(`${server}/elsewhere`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><html lang="en"><title>Weather</title><p>Rain' }));
  for (const [folder, load] of Object.entries(packages)) {
    await context.route(`${server}/${folder}/**`, (route) => {
      const name = normalize(new URL(route.request().url()).pathname.slice(folder.length + 2));
      return route.fulfill({ contentType: 'text/javascript', body: load(name) });
    });
  }
}

/** The files of a built package. */
export const packageIn = (dist) => (name) => readFileSync(join(dist, name), 'utf8');

/** A context of its own. What a test hands out has no address, and may reach this machine only if let. */
export async function newContext(browser, server, dist) {
  const context = await browser.newContext({ permissions: ['local-network-access'] });
  await furnish(context, server, { sdk: packageIn(dist) });
  return context;
}

/** A page in which nothing goes wrong unheard; hears is its socket while the server has greeted it. */
export async function newPage(context) {
  const page = await context.newPage();
  page.on('pageerror', (e) => { throw e; });
  page.on('websocket', (ws) => {
    if (/ticket|eyJ|rt_/.test(ws.url())) throw new Error('a secret in an address');
    ws.on('framereceived', ({ payload }) => { if (String(payload).includes('session.ready')) page.hears = ws; });
    ws.on('close', () => { if (page.hears === ws) page.hears = undefined; });
  });
  return page;
}

export async function open(context, server, config = {}, query = '') {
  const page = await newPage(context);
  await page.goto(`${server}/app${query}`);
  await begin(page, config);
  return page;
}

export async function begin(page, config = {}) {
  await page.waitForFunction('window.loaded');
  await page.evaluate((c) => window.begin(c), config);
}

/** Waits until what is asked holds. The bound is only there to end a run that hangs. */
export async function eventually(what, holds) {
  for (const end = Date.now() + 120_000; ;) {
    if (await holds()) return;
    if (Date.now() > end) throw new Error(`not so, after two minutes: ${what}`);
    await pause(50);
  }
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export const cookies = async (context, server) => Object.fromEntries((await context.cookies(server)).map((c) => [c.name, c.value]));
export const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

/** All that the page's origin keeps, and what the page itself shows, as one text; bytes as Latin-1. */
export const kept = (page) => page.evaluate(async () => {
  const seen = new Set();
  const texts = (v) => {
    if (typeof v === 'string') return [v];
    if (v instanceof ArrayBuffer || ArrayBuffer.isView(v)) return [new TextDecoder('latin1').decode(v)];
    if (typeof v !== 'object' || v === null || seen.has(v)) return [String(v)];
    seen.add(v);
    return Reflect.ownKeys(v).flatMap((k) => [String(k), ...texts(v[k])]);
  };
  const out = [...texts({ ...localStorage }), ...texts({ ...sessionStorage }), location.href, document.cookie, document.referrer, window.name, document.documentElement?.outerHTML ?? '', ...texts(history.state)];
  for (const r of performance.getEntriesByType('resource')) out.push(r.name);
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const r of await cache.keys()) out.push(name, r.url, await (await cache.match(r)).text());
  }
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done, fail) => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result); r.onerror = fail; });
    for (const store of db.objectStoreNames) {
      const table = db.transaction(store).objectStore(store);
      for (const r of [table.getAllKeys(), table.getAll()]) out.push(...texts(await new Promise((done, fail) => { r.onsuccess = () => done(r.result); r.onerror = fail; })));
    }
    db.close();
  }
  return out.join('\n');
});
