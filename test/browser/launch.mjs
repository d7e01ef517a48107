// The browser of these tests: Debian's Chromium, which asks nobody but the
// pages' own servers.
import { chromium } from 'playwright-core';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--host-resolver-rules=MAP *.localhost 127.0.0.1'];

export const launch = (executablePath) => chromium.launch({ executablePath, args });

/**
 * A browser as people have it: one window, whose tabs are hidden when another
 * is in front, with throttled timers and a back/forward cache. launch's pages
 * all believe to be in front, and are never cached.
 */
export async function launchAsPeopleDo(executablePath) {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const child = spawn(executablePath, [...args, `--user-data-dir=${profile}`, '--remote-debugging-port=0', 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = new Promise((done) => { child.once('exit', done); });
  process.on('exit', () => {
    child.kill('SIGKILL');
    try { rmSync(profile, { recursive: true, force: true, maxRetries: 3 }); } catch { /* it is still being written; the system clears its folder */ }
  });
  const address = await new Promise((done, fail) => {
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
      const [, found] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
      if (found) done(found);
    });
    child.once('exit', () => { fail(new Error(said)); });
  });
  const browser = await chromium.connectOverCDP(address, { noDefaults: true, isLocal: true });
  const [context] = browser.contexts();
  return {
    context,
    async close() {
      const whole = await browser.newBrowserCDPSession();
      await whole.send('Browser.close').catch(() => undefined); // it may be gone before it answers
      await gone;
    },
  };
}
