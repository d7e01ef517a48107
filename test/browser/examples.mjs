// The examples with React in a real Chromium, against the real program.
//
//   node examples.mjs CHROMIUM SERVER REACT SSR
//
// SERVER is the address of a running `sessiond serve --dev`, REACT and SSR are
// copies of the examples whose node_modules are there.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { launch } from './launch.mjs';

const [executablePath, server, react, ssr] = process.argv.slice(2);
process.env.SESSIOND_URL = server; // for Vite's proxy and for the server
const vite = await import(pathToFileURL(join(react, 'node_modules/vite/dist/node/index.js')).href);
const browser = await launch(executablePath);
const patience = 120_000;

let told = 0;
function ok(what) { told++; console.log(`ok - ${what}`); }

/** Builds in the example's folder, as its own command does there. */
async function build(root, more = {}) {
  await vite.build({ root, logLevel: 'error', ...more });
}

/** A page in a browser of its own, where nothing may go wrong unheard. */
async function open(url) {
  const context = await browser.newContext();
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  page.on('pageerror', (e) => { throw e; });
  page.on('console', (m) => { if (m.type() === 'error' && !/401|favicon/.test(`${m.text()} ${m.location().url}`)) throw new Error(m.text()); });
  await page.goto(url);
  return page;
}

const button = (page, name) => page.getByRole('button', { name, exact: true });
const says = (page, text) => page.getByText(text, { exact: true }).waitFor();

async function reactExample() {
  await build(react);
  const preview = await vite.preview({ root: react, logLevel: 'silent', preview: { port: 0 } });
  const { port } = preview.httpServer.address();
  const page = await open(`http://localhost:${port}/`);
  await button(page, 'Sign in').click();
  await says(page, 'Signed in.');
  await page.getByLabel('Note').fill('a draft');
  await page.reload();
  await page.getByLabel('Note').waitFor();
  ok('the page with React signs in, and stays so over a reload');

  // The page wants a proof of the last minutes; here of the last second, until it asks.
  let strict = true;
  await page.route(/max_age=/, (r) => r.continue(strict ? { url: r.request().url().replace(/max_age=\d+/, 'max_age=1') } : {}));
  const asked = page.getByRole('dialog').filter({ hasText: 'Is it you?' });
  for (;;) {
    await button(page, 'Erase my notes').click();
    await page.locator('p[role=status]', { hasText: 'Erased.' }).or(asked).first().waitFor();
    if (await asked.isVisible()) break;
  }
  await button(page, 'Keep them').click();
  await says(page, 'Kept.');
  await button(page, 'Erase my notes').click();
  await asked.waitFor();
  strict = false;
  await button(page, 'It is me').click();
  await says(page, 'Erased.');
  ok('what is sensitive asks for a fresh proof, once, and obeys a no');

  await button(page, 'Sign out').click();
  await button(page, 'Sign in').waitFor();
  ok('and signs out');
  await page.context().close();
  await preview.close();
}

async function ssrExample() {
  await build(ssr);
  await build(ssr, { build: { ssr: 'src/server.jsx', outDir: 'dist/server' } });
  const child = spawn(process.execPath, ['dist/server/server.js'], { cwd: ssr, env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const origin = await new Promise((resolve, reject) => {
      createInterface(child.stdout).once('line', (line) => resolve(line.split(' ').at(-1)));
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    });
    const rendered = async (page) => {
      const res = await page.request.get(origin);
      assert.equal(res.headers()['cache-control'], 'private, no-store');
      return res.text();
    };
    const page = await open(origin);
    await button(page, 'Sign in').click();
    await page.locator('#private').waitFor();
    const html = await rendered(page);
    assert.match(html, /You may: .*read:profile/);
    assert.match(html, /role="status">One moment\.</);
    assert.doesNotMatch(html, /eyJ|rt_|csrf|sess_/);
    ok('the server renders what the cookies allow, with a status that is loading and no secret');

    await page.reload();
    await button(page, 'Sign out').waitFor();
    await page.locator('#private').waitFor();
    ok('the browser goes on from there without a mismatch');

    const stranger = await open(origin);
    await button(stranger, 'Sign in').waitFor();
    assert.doesNotMatch(await rendered(stranger), /You may/);
    ok('a stranger who comes next gets nothing of it');

    const answer = page.waitForResponse((r) => r.url().endsWith('/sessions/logout'), { timeout: 120_000 }); // the page clears first, and then tells
    await button(page, 'Sign out').click();
    await button(page, 'Sign in').waitFor();
    assert.equal(await page.locator('#private').count(), 0);
    await (await answer).finished();
    assert.match(await rendered(page), /\{"known":null\}/);
    ok('after the sign-out neither side shows it');
    await stranger.context().close();
    await page.context().close();
  } finally {
    child.kill('SIGTERM');
  }
}

try {
  await reactExample();
  await ssrExample();
} finally {
  await browser.close();
}
console.log(`${told} passed, 0 failed`);
