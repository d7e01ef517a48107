// Signs in by cookie in a real Chromium, and attacks the session from other
// origins.
//
//   node browser.mjs CHROMIUM SERVER
//
// SERVER is the origin of a running sessiond, such as http://sessions.localhost:8080.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { launch } from './launch.mjs';

const [executablePath, server] = process.argv.slice(2);
const own = new URL(server);
const browser = await launch(executablePath);

// The attacker's pages, on another port of this machine under any name.
const attacker = createServer((req, res) => {
  const at = new URL(req.url, 'http://x');
  res.setHeader('Content-Type', 'text/html');
  if (at.pathname === '/toss') {
    const domain = own.hostname;
    res.setHeader('Set-Cookie', [
      `__Host-s=tossed; Domain=${domain}; Path=/`, '__Host-s=tossed; Path=/api', `__Host-s=tossed; Domain=${domain}; Path=/; Secure`,
      `=__Host-s=tossed; Domain=${domain}; Path=/`, `__HOST-S=tossed; Domain=${domain}; Path=/`, `x=1; Domain=${domain}; Path=/`,
    ]);
  }
  res.end('<!doctype html><title>attacker</title><body>');
});
await new Promise((done) => attacker.listen(0, '127.0.0.1', done));
const evil = (host) => `http://${host}:${attacker.address().port}`;

let told = 0;
function ok(what) { told++; console.log(`ok - ${what}`); }

async function signIn(context) {
  const page = await context.newPage();
  page.on('pageerror', (e) => { throw e; });
  await page.goto(`${server}/signin`);
  await page.click('#device');
  await page.waitForSelector('#in:not([hidden])');
  return page;
}
const ours = async (context) => (await context.cookies(server)).filter((c) => c.name.startsWith('__Host-'));
const status = (page) => page.evaluate(async () => (await fetch('/api/auth/sessions/validate')).status);

const context = await browser.newContext();
const page = await signIn(context);
{
  const cookies = await ours(context);
  assert.deepEqual(cookies.map((c) => c.name).sort(), ['__Host-r', '__Host-s']);
  for (const c of cookies) {
    assert.ok(c.httpOnly && c.secure && c.sameSite === 'Strict' && c.path === '/' && c.expires === -1, JSON.stringify(c));
    assert.ok(!c.domain.startsWith('.'));
  }
  assert.equal(await page.evaluate(() => document.cookie), '');
  ok('sign-in sets two cookies that no script reads and no restart keeps');

  const kept = await page.evaluate(async () => {
    const out = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.documentElement.outerHTML, location.href, JSON.stringify(await caches.keys())];
    for (const { name } of await indexedDB.databases()) {
      const db = await new Promise((done) => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result); });
      for (const store of db.objectStoreNames) {
        const all = await new Promise((done) => { const r = db.transaction(store).objectStore(store).getAll(); r.onsuccess = () => done(r.result); });
        for (const pair of all) out.push(JSON.stringify(pair), String(pair.privateKey?.extractable));
      }
      db.close();
    }
    return out.join('\n');
  });
  for (const c of cookies) assert.ok(!kept.includes(c.value), 'a page keeps a secret');
  assert.ok(!kept.includes('rt_') && !kept.includes('eyJ') && kept.includes('false'), 'a page keeps a secret, or an extractable key');
  ok('nothing secret in any store of the page; its key cannot be taken out');

  await page.reload();
  await page.waitForSelector('#in:not([hidden])');
  ok('a reloaded page is signed in');
}

{
  const before = JSON.stringify(await ours(context));
  const foreign = await context.newPage();
  for (const host of ['evil.localhost', `evil.${own.hostname}`, '127.0.0.1', 'localhost']) {
    await foreign.goto(`${evil(host)}/`);
    const seen = await foreign.evaluate(async (server) => {
      const out = [];
      for (const [method, path] of [['POST', '/sessions/refresh'], ['POST', '/sessions/logout'], ['DELETE', '/sessions?include=current'], ['POST', '/sessions/activity'], ['PATCH', '/sessions/current'], ['GET', '/sessions/current']]) {
        for (const mode of ['cors', 'no-cors']) {
          for (const type of ['application/json', 'text/plain']) {
            try {
              const res = await fetch(`${server}/api/auth${path}`, { method, mode, credentials: 'include', headers: method === 'GET' ? {} : { 'Content-Type': type }, body: method === 'GET' ? undefined : '{}' });
              out.push(`${method} ${path} ${mode} ${res.type} ${res.status}`);
            } catch { out.push('blocked'); }
          }
        }
      }
      return out;
    }, server);
    // With --dev the pages of this machine's own names may call and read; even then nothing changes without the proof.
    const local = host === 'localhost' || host === '127.0.0.1';
    for (const line of seen) {
      assert.ok(line === 'blocked' || line.includes('opaque') || / (400|401|403|415)$/.test(line) || local && /^GET .* 200$/.test(line), `${host}: ${line}`);
    }
  }
  for (const [enctype, name] of [['text/plain', '{"credential":"x","a":"'], ['application/x-www-form-urlencoded', 'transport'], ['multipart/form-data', 'transport']]) {
    for (const path of ['/sessions', '/sessions/logout', '/sessions/refresh', '/sessions/activity']) {
      await foreign.goto(`${evil('evil.localhost')}/`);
      await foreign.evaluate(([action, enctype, name]) => {
        const form = Object.assign(document.createElement('form'), { method: 'POST', action, enctype });
        form.append(Object.assign(document.createElement('input'), { name, value: '"}' }));
        document.body.append(form);
        form.submit();
      }, [`${server}/api/auth${path}`, enctype, name]);
      await foreign.waitForURL(`${server}/**`);
      const text = await foreign.textContent('body');
      assert.match(text, /origin_denied|unsupported_media_type|invalid_request/, `${enctype} ${path}: ${text}`);
    }
  }
  for (const host of ['evil.localhost', `evil.${own.hostname}`, '127.0.0.1', 'localhost', own.hostname]) {
    await foreign.goto(`${evil(host)}/`);
    const heard = await foreign.evaluate((server) => new Promise((done) => {
      const socket = new WebSocket(`${server.replace(/^http/, 'ws')}/api/auth/sessions/events`, 'mentalverse.session.v1');
      socket.onmessage = ({ data }) => done(data);
      socket.onclose = ({ code }) => done(code);
    }), server);
    // The page of another port is same-site and may call in development; it is no stranger then.
    const local = host === own.hostname && own.hostname === 'localhost';
    if (!local) assert.equal(heard, 1006, `${host} opened a socket and heard ${heard}`);
  }
  await foreign.close();
  assert.equal(JSON.stringify(await ours(context)), before, 'a foreign page changed the cookies');
  assert.equal(await status(page), 200);
  ok('forged posts and forms of other origins change nothing');
}

{
  const before = JSON.stringify(await ours(context));
  const sibling = await context.newPage();
  await sibling.goto(`${evil(`evil.${own.hostname}`)}/toss`);
  await sibling.goto(`${evil(own.hostname)}/toss`); // the same host, another port: cookies know no ports
  await sibling.close();
  const after = (await ours(context)).filter((c) => c.value !== 'tossed');
  assert.equal(JSON.stringify(after), before, 'the real cookies changed');
  const answer = await status(page);
  assert.ok(answer === 200 || answer === 400, `a tossed cookie: ${answer}`); // refused at worst, never another's session
  await context.clearCookies({ name: '__Host-s', path: '/api' });
  await context.clearCookies({ name: '__HOST-S' });
  await context.clearCookies({ name: '' });
  await context.clearCookies({ name: 'x' });
  assert.equal(await status(page), 200);
  ok(`cookies tossed by sibling hosts open nothing (the real ones then answer ${answer})`);
}

{
  const other = await browser.newContext();
  const there = await signIn(other);
  assert.equal(await status(there), 200);
  await there.click('#logout');
  await there.waitForSelector('#out:not([hidden])');
  assert.deepEqual(await ours(other), []);
  assert.equal(await status(page), 200, 'one browser logged another out');
  await other.close();
  ok('another browser is another person');
}

{
  await page.goto('about:blank');
  await page.goto(`${server}/signin`);
  await page.waitForSelector('#in:not([hidden])');
  const shown = await page.textContent('#sessions');
  assert.match(shown, /Chrome/);
  const tab = await context.newPage();
  await tab.goto(`${server}/signin`);
  await tab.waitForSelector('#in:not([hidden])');
  await tab.click('#logout');
  await tab.waitForSelector('#out:not([hidden])');
  assert.deepEqual(await ours(context), []);
  await page.waitForSelector('#out:not([hidden])', { timeout: 5000 });
  ok('another tab hears of it at once');
  assert.equal(await status(page), 401);
  await page.goto('about:blank');
  await page.goBack();
  await page.waitForSelector('#out:not([hidden])');
  assert.doesNotMatch(await page.textContent('body'), /Chrome on/);
  await tab.goto('about:blank');
  await tab.goBack();
  await tab.waitForSelector('#out:not([hidden])');
  assert.doesNotMatch(await tab.textContent('body'), /Chrome on/);
  ok('after logout neither Back nor another tab shows anything private');
}

await browser.close();
attacker.close();
console.log(`${told} passed, 0 failed`);
