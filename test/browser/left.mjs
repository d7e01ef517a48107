// Pages that a person has left: they lie in the back/forward cache, and show
// nothing private when the session has ended since.
//
//   node left.mjs CHROMIUM SERVER DIST
import assert from 'node:assert/strict';
import { launchAsPeopleDo } from './launch.mjs';
import { begin, cookies, eventually, finish, furnish, kept, notes, ok, open, packageIn } from './page.mjs';

const [executablePath, server, dist] = process.argv.slice(2);

/** Keeps what each moment of the page shows: when it is shown, and at each frame. In every page from its start. */
function watch() {
  window.seen = [];
  const look = () => { seen.push(document.body?.innerText ?? ''); };
  addEventListener('pageshow', (e) => { window.persisted = e.persisted; look(); }, { capture: true });
  const frame = () => { look(); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}

/** Goes back in the page's history, and waits until the page's manager knows who is here. */
async function back(page) {
  await page.bringToFront();
  await page.goBack({ waitUntil: 'commit' }); // a page out of the cache loads nothing
  await page.waitForFunction(() => location.pathname === '/app' && window.loaded && window.seen?.length > 2);
}
const shown = (page) => page.evaluate(() => ({ persisted: window.persisted, reasons: (performance.getEntriesByType('navigation')[0].notRestoredReasons?.reasons ?? []).map((r) => r.reason), seen: [...new Set(seen)] }));

for (const [mode, config] of [['cookie', {}], ['header', { transport: 'header' }]]) {
  const { context, close } = await launchAsPeopleDo(executablePath);
  await context.grantPermissions(['local-network-access']);
  await furnish(context, server, { sdk: packageIn(dist) });
  await context.addInitScript(watch);
  const page = await open(context, server, config);
  await page.evaluate(() => signIn());
  await eventually('it has its socket', () => page.hears);

  await page.goto(`${server}/elsewhere`);
  await back(page);
  const first = await shown(page);
  assert.deepEqual([first.persisted, first.reasons], [true, []]);
  assert.ok(first.seen.includes(notes), 'what it shows is not seen');
  assert.equal(await page.evaluate(() => valid()), true);
  await page.evaluate(() => refresh());
  ok(`${mode}: a page with a session comes back out of the back/forward cache, and goes on`);

  // Ended in another tab.
  const other = await open(context, server, config);
  await other.evaluate(() => until('authenticated'));
  await page.goto(`${server}/elsewhere`);
  await other.evaluate(() => m.logout());
  await back(page);
  const second = await shown(page);
  assert.ok(!second.seen.join('\n').includes(notes), JSON.stringify(second));
  if (!second.persisted) await begin(page, config);
  assert.equal((await page.evaluate(() => until('unauthenticated'))).session, null);
  console.log(`${mode}: after a logout elsewhere: ${second.persisted ? 'shown from the cache' : `not cached any more: ${second.reasons}`}`);
  ok(`${mode}: after a logout in another tab the way back shows nothing private`);

  // Ended by the next page of the same tab.
  await page.evaluate(() => signIn());
  await page.evaluate(() => until('authenticated'));
  await page.goto(`${server}/app?next`);
  await begin(page, config);
  await page.evaluate(() => until('authenticated'));
  await page.evaluate(() => m.logout());
  await back(page);
  const third = await shown(page);
  assert.ok(!third.seen.join('\n').includes(notes), JSON.stringify(third));
  ok(`${mode}: after a logout in the same tab the way back shows nothing private`);
  await close();
}
finish();
