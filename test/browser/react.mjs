// The bindings to React in a real Chromium, against the real program: what
// keyboards and pointers do to the warning, what axe finds, where tokens lie.
//
//   node react.mjs CHROMIUM SERVER
//
// SERVER is the origin of a running `sessiond serve --dev`.
import { AxeBuilder } from '@axe-core/playwright';
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../sdk/test/bundle.mjs';
import { launch } from './launch.mjs';

const [executablePath, server] = process.argv.slice(2);
const { files } = await bundle(fileURLToPath(new URL('../../sdk/test/shown.tsx', import.meta.url)));
const browser = await launch(executablePath);

let told = 0;
function ok(what) { told++; console.log(`ok - ${what}`); }

const shell = `<!doctype html><html lang="en"><title>Home</title><main></main><script type="module" src="/credential.js"></script>`;
const credential = `
  import { device } from '/device.js';
  import { base64url } from '/wallets.js';
  window.credential = async () => {
    const account = await device.connect();
    const res = await fetch('/api/auth/challenge', { method: 'POST', credentials: 'omit', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ chain: device.chain, address: account.address, session_type: 'standard' }) });
    const signed = await account.sign((await res.clone().json()).data.message);
    return base64url(new TextEncoder().encode(JSON.stringify({ v: 1, message: (await res.json()).data.message, ...signed })));
  };
  await import('/page/shown.js');`;
const policy = { 'Content-Security-Policy': "default-src 'none'; script-src 'self'; connect-src 'self'" };

async function newContext() {
  const context = await browser.newContext({ permissions: ['local-network-access'] });
  await context.route(`${server}/app*`, (r) => r.fulfill({ contentType: 'text/html', headers: policy, body: shell }));
  await context.route(`${server}/credential.js`, (r) => r.fulfill({ contentType: 'text/javascript', body: credential }));
  await context.route(`${server}/page/*`, (r) => r.fulfill({ contentType: 'text/javascript', body: files.get(r.request().url().split('/').at(-1)) }));
  await context.route(`${server}/elsewhere`, (r) => r.fulfill({ contentType: 'text/html', body: '<!doctype html><html lang="en"><title>Weather</title><p>Rain' }));
  return context;
}

async function open(context, query = '') {
  const page = await context.newPage();
  page.on('pageerror', (e) => { throw e; });
  page.on('console', (m) => { if (m.type() === 'error' && !m.text().includes('401')) throw new Error(m.text()); });
  await page.goto(`${server}/app${query}`);
  return page;
}

const signIn = async (page) => {
  await page.locator('#in:not(:disabled)').click();
  await page.locator('#send').waitFor();
};

async function clean(page, what) {
  const { violations, passes } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(violations.map((v) => [v.id, v.nodes.map((n) => n.html)]), [], what);
  assert.ok(passes.length > 5);
  ok(`axe finds nothing: ${what}`);
}

{
  const context = await newContext();
  const page = await open(context, '?threshold=22000');
  await page.locator('#in:not(:disabled)').waitFor();
  await clean(page, 'signed out');
  await signIn(page);
  await page.focus('#send');
  await clean(page, 'signed in');

  const dialog = page.locator('dialog[open]');
  const focus = () => page.evaluate(() => document.activeElement.textContent);
  await dialog.waitFor();
  assert.equal(await focus(), 'Stay signed in');
  await clean(page, 'the warning is open');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  assert.equal(await focus(), 'Send (0)');
  ok('Enter extends, meets nothing beneath, and the focus is where it was');

  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.equal(await page.textContent('#send'), 'Send (0)');
  ok('Escape extends');

  await dialog.waitFor();
  const { x, y, width, height } = await page.locator('dialog button').last().boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2, { steps: 5 });
  await page.mouse.down();
  await new Promise((done) => setTimeout(done, 1500)); // a slow hand
  await page.mouse.up();
  await page.locator('#in:not(:disabled)').waitFor();
  assert.equal(await page.locator('dialog[open]').count(), 0);
  ok('a slow press on "Sign out" signs out');
  await context.close();
}

{
  const context = await newContext();
  const page = await open(context);
  await signIn(page);
  const other = await open(context);
  await other.locator('#send').waitFor();
  await page.bringToFront();
  for (let i = 0; i < 3; i++) await page.keyboard.press('Shift');
  for (const p of [page, other]) {
    await p.waitForURL(`${server}/elsewhere`);
    assert.equal(await p.title(), 'Weather');
  }
  await other.goto(`${server}/app`);
  await other.locator('#in:not(:disabled)').waitFor();
  ok('Shift three times leaves in all tabs, and nobody is signed in any more');
  await context.close();
}

// What React holds: props, state, contexts, effects, all that can be reached from its root.
{
  const context = await newContext();
  const page = await open(context, '?transport=header');
  await signIn(page);
  const { strings, tokens, session } = await page.evaluate(() => {
    const main = document.querySelector('main');
    const todo = Object.keys(main).filter((k) => k.startsWith('__react')).map((k) => main[k]);
    const seen = new Set();
    const strings = new Set();
    while (todo.length) {
      const v = todo.pop();
      if (typeof v === 'string') strings.add(v);
      if (v === null || !['object', 'function'].includes(typeof v) || seen.has(v) || v === window || v instanceof Node) continue;
      seen.add(v);
      for (const k of Reflect.ownKeys(v)) { try { todo.push(v[k]); } catch { /* not to be read */ } }
    }
    return { strings: strings.size, tokens: [...strings].filter((s) => /^(eyJ|rt_)/.test(s)).length, session: [...strings].some((s) => s.startsWith('sess_')) };
  });
  assert.ok(strings > 50, `${strings} texts`);
  assert.ok(session, 'it was not looked at where the session is');
  assert.equal(tokens, 0);
  ok(`header mode: none of ${strings} texts that React holds is a token`);
  await context.close();
}

await browser.close();
console.log(`${told} passed, 0 failed`);
