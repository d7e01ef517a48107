// The specification's client code, taken out of its text as it stands, in a real
// Chromium beside ours at one server: its class, and its React sample with its
// own manager, with ours, and with our provider in its place.
//
//   node specification.mjs CHROMIUM SERVER DIST SPECIFICATION
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../sdk/test/bundle.mjs';
import { launch } from './launch.mjs';
import { finish, newContext, ok, open } from './page.mjs';

const [executablePath, server, dist, specification] = process.argv.slice(2);
const text = readFileSync(specification, 'utf8');
const sample = (language, begins) => {
  const [found] = [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(([, l, code]) => l === language && code.includes(begins)).map(([, , code]) => code);
  assert.ok(found, `the specification has no ${language} with ${begins}`);
  return found;
};
const theirClass = sample('javascript', 'class SessionManager ');
const theirReact = sample('jsx', 'export const SessionProvider');
const browser = await launch(executablePath);

// Ours is in header mode: the server refuses a call with a cookie and a Bearer,
// so theirs cannot run where cookies are.
{
  const alone = await newContext(browser, server, dist);
  const ours = await open(alone, server, { transport: 'header' });
  await ours.evaluate(() => signIn());
  const both = await ours.evaluate(async (code) => {
    const Theirs = new Function(`${code}; return SessionManager;`)();
    const theirs = new Theirs({ apiUrl: `${location.origin}/api`, storage: sessionStorage });
    await theirs.createSession({ signature: await credential() });
    await theirs.refreshSession();
    return [(await theirs.validateSession()).valid, await valid()];
  }, theirClass);
  assert.deepEqual(both, [true, true]);
  ok("the specification's class, unchanged, beside ours");
  await alone.close();
}

const entry = fileURLToPath(new URL('../../sdk/test/consumer.tsx', import.meta.url));
const variants = {
  "the specification's provider with its own class": [theirReact, theirClass],
  "the specification's provider with our class": [theirReact, `import { SessionManager } from ${JSON.stringify(fileURLToPath(new URL('../../sdk/src/index.ts', import.meta.url)))};`],
  'our provider in its place': [`export * from ${JSON.stringify(fileURLToPath(new URL('../../sdk/src/react/index.ts', import.meta.url)))};`, ''],
};
for (const [name, [react, manager]] of Object.entries(variants)) {
  const { files } = await bundle(entry, [], {
    'virtual:provider.jsx': react,
    'virtual:manager.js': manager && `${manager}\nglobalThis.SessionManager = SessionManager;`,
  }, { 'process.env.REACT_APP_API_URL': JSON.stringify('/api') });
  const context = await newContext(browser, server, dist);
  await context.route(`${server}/page/*`, (r) => r.fulfill({ contentType: 'text/javascript', body: files.get(r.request().url().split('/').at(-1)) }));
  const page = await open(context, server);
  await page.evaluate(async () => { await begin({ storage: new sdk.MemoryStorage() }); await signIn(); }); // a session of its own, in the same page
  const mount = () => page.evaluate(async () => {
    document.body.insertAdjacentHTML('beforeend', '<main></main>');
    await import('/page/consumer.js');
  });
  await mount();
  const shown = (what) => page.locator('main', { hasText: what }).waitFor({ timeout: 120_000 });
  await shown('Signed out');
  await page.click('#login');
  await shown(/Signed in: .*read:profile/);
  assert.equal(await page.evaluate(() => consumer.sessionManager.validateSession().then((v) => v.valid)), true);
  await page.evaluate(() => consumer.sessionManager.refreshSession());
  assert.equal(await page.evaluate(() => consumer.sessionManager.validateSession().then((v) => v.valid)), true);
  assert.deepEqual(await page.evaluate(() => Object.keys(consumer).filter((k) => ['session', 'loading', 'login', 'logout', 'sessionManager'].includes(k)).length), 5);
  await page.click('#logout');
  await shown('Signed out');
  assert.equal(await page.evaluate(() => consumer.sessionManager.validateSession().then((v) => v.valid)), false);
  assert.equal(await page.evaluate(() => valid()), true);
  ok(`${name}: loads, signs in, validates, refreshes, signs out`);
  await context.close();
}
await browser.close();
finish();
