import { StrictMode, useState } from 'react';
import { describe, expect, it, vi } from 'vitest';
import { SessionMonitor } from '../src/index.js';
import { ExpiryWarning, QuickExit, SessionProvider, SessionStatus } from '../src/react/index.js';
import type { ExpiryWarningProps } from '../src/react/index.js';
import { button, find, leavePage, rendered, show, text } from './page.js';
import { FakeSocket, act, api, goOffline, outcome, pass, service, settle, signedIn, tab } from './world.js';

const minute = 60_000;
const dialog = () => find<HTMLDialogElement>('dialog');

async function warned(props: ExpiryWarningProps = { activityThreshold: 10 * minute }) {
  const m = await signedIn();
  await show(<StrictMode><SessionProvider manager={m}><SessionStatus /><ExpiryWarning {...props} /></SessionProvider></StrictMode>);
  expect(dialog().open).toBe(false);
  return m;
}

function focused(is: boolean) {
  vi.spyOn(document, 'hasFocus').mockReturnValue(is);
}

describe('the warning', () => {
  it('opens as a modal two minutes ahead and says the time seldom', async () => {
    await warned();
    const modal = vi.spyOn(HTMLDialogElement.prototype, 'showModal');
    await pass(7.9 * minute);
    expect(dialog().open).toBe(false);
    await pass(0.2 * minute);
    expect(dialog().open).toBe(true);
    expect(modal).toHaveBeenCalledTimes(1);
    expect(dialog().getAttribute('role')).toBe('alertdialog');
    const label = document.getElementById(dialog().getAttribute('aria-labelledby') ?? '');
    expect(label?.textContent).toBe('You will be signed out in 2 minutes.');
    expect(find('dialog button').textContent).toBe('Stay signed in'); // showModal gives it the focus
    const said: string[] = [];
    const ticks: string[] = [];
    for (let s = 0; s < 110; s++) {
      await vi.advanceTimersByTimeAsync(1000);
      if (s % 3 === 0) await settle();
      const now = find('dialog [role=status]').textContent;
      if (said.at(-1) !== now) said.push(now);
      const tick = find('dialog [role=timer]').textContent;
      if (ticks.at(-1) !== tick) ticks.push(tick);
    }
    expect(said).toEqual(['', '60 seconds', '30 seconds', '10 seconds']);
    expect(ticks.length).toBeGreaterThan(20);
    await pass(minute / 5);
    expect(dialog().open).toBe(false);
    expect(text()).toBe('Signed out.');
  });

  it('gives at least twenty seconds, and says no time that is over', async () => {
    await warned({ activityThreshold: 10 * minute, warning: 1000 });
    await pass(9 * minute + 41_000);
    expect(dialog().open).toBe(true);
    expect(text()).toContain('in 20 seconds.');
    expect(find('dialog [role=status]').textContent).toBe('');
  });

  it('is answered by a press, which tells the server', async () => {
    const m = await warned();
    await pass(8.5 * minute);
    const before = service.count('/sessions/activity');
    button('Stay signed in').click();
    await rendered();
    expect(dialog().open).toBe(false);
    expect(service.count('/sessions/activity')).toBe(before + 1);
    await pass(8.5 * minute);
    expect(dialog().open).toBe(true);
    expect(m.getSnapshot().status).toBe('authenticated');
  });

  it('is answered by Escape', async () => {
    await warned();
    await pass(8.5 * minute);
    const before = service.count('/sessions/activity');
    const cancel = new Event('cancel', { cancelable: true });
    dialog().dispatchEvent(cancel);
    expect(cancel.defaultPrevented).toBe(true);
    await rendered();
    expect(dialog().open).toBe(false);
    expect(service.count('/sessions/activity')).toBe(before + 1);
  });

  it('stays open, and says so, when the server could not be told', async () => {
    await warned();
    await pass(8.5 * minute);
    goOffline(true);
    button('Stay signed in').click();
    await rendered();
    expect(dialog().open).toBe(true);
    expect(find('dialog [role=status]').textContent).toBe('Try again.');
    dialog().close(); // a browser closes it at the second Escape
    await rendered();
    expect(dialog().open).toBe(true);
    goOffline(false);
    button('Stay signed in').click();
    await rendered();
    expect(dialog().open).toBe(false);
  });

  it('keeps an answer of hours later from extending anything', async () => {
    const m = await warned();
    await pass(8.5 * minute);
    Object.defineProperty(m.activity, 'idle', { get: () => 9 * 60 * minute });
    button('Stay signed in').click();
    await rendered();
    expect(text()).toBe('Signed out.');
    expect(dialog().open).toBe(false);
  });

  it('signs out when asked to', async () => {
    const m = await warned();
    await pass(8.5 * minute);
    button('Sign out').click();
    await rendered();
    expect(m.getSnapshot()).toMatchObject({ status: 'unauthenticated', reason: 'logout' });
    expect(dialog().open).toBe(false);
  });

  it('waits for the answer when the person is back, so that no press meets what lies beneath', async () => {
    focused(true);
    await warned();
    await pass(8.5 * minute);
    const stay = button('Stay signed in');
    act('pointerdown');
    await rendered();
    expect(dialog().open).toBe(true);
    expect(find('dialog [role=status]').textContent).toBe('You stay signed in.');
    expect(document.querySelector('dialog [role=timer]')).toBe(null);
    expect(button('Stay signed in')).toBe(stay); // the press that began on it ends on it
    await pass(5 * minute);
    stay.click();
    await rendered();
    expect(dialog().open).toBe(false);
  });

  it('goes away when the person is in another tab', async () => {
    focused(false);
    await warned();
    const other = tab();
    await settle();
    await pass(8.5 * minute);
    expect(dialog().open).toBe(true);
    other.activity.sign();
    await rendered();
    expect(dialog().open).toBe(false);
  });

  it('tells of the absolute end, once for each session, and extends nothing', async () => {
    const m = await warned({ activityThreshold: 9e9 });
    const end = () => FakeSocket.all.at(-1)?.say({ event: 'session.expiring', reason: 'session_ended', ends_in: 120 });
    end();
    await rendered();
    expect(text()).toContain('in 2 minutes. Save your work.');
    const calls = service.seen.length;
    button('OK').click();
    await rendered();
    expect(dialog().open).toBe(false);
    expect(service.seen.length).toBe(calls);
    end();
    await rendered();
    expect(dialog().open).toBe(false);
    await outcome(m.createSession({ signature: 'again' }));
    await settle();
    end();
    await rendered();
    expect(dialog().open).toBe(true);
    await m.logout();
    await rendered();
    expect(dialog().open).toBe(false);
  });

  it('takes its texts from the page, and leaves nothing behind', async () => {
    const m = await signedIn();
    const add = vi.spyOn(document, 'addEventListener');
    const remove = vi.spyOn(document, 'removeEventListener');
    await show(<SessionProvider manager={m}><ExpiryWarning activityThreshold={10 * minute} texts={{ stay: 'Bleiben', idle: (t) => `Noch ${t}`, time: (s) => `${s} s` }} /></SessionProvider>);
    await pass(8.5 * minute);
    expect(text()).toContain('Noch 120 s');
    expect(button('Bleiben')).toBeTruthy();
    await leavePage();
    const own = (calls: unknown[][]) => calls.map((c) => c[0]).filter((kind) => kind === 'visibilitychange');
    expect(own(remove.mock.calls)).toEqual(own(add.mock.calls));
    m.dispose();
    await pass(minute);
    expect(vi.getTimerCount()).toBe(0);
    vi.restoreAllMocks();
  });
});

describe('quick exit', () => {
  const gone: string[] = [];
  function watch() {
    gone.length = 0;
    vi.spyOn(location, 'replace').mockImplementation((url) => { gone.push(`${String(url)} ${document.documentElement.childElementCount}`); });
  }
  const shift = () => document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Shift' }));
  const page = (extra?: string) => (
    <StrictMode>
      <SessionProvider config={{ apiUrl: api }} exitUrl="https://weather.test/">
        <SessionStatus /><QuickExit texts={extra ? { leave: extra } : {}} /><ExpiryWarning /><Draft />
      </SessionProvider>
    </StrictMode>);
  function Draft() {
    const [draft, write] = useState('private words');
    return <textarea value={draft} onChange={(e) => { write(e.target.value); }} />;
  }

  it('blanks the page first, ends the session everywhere and goes elsewhere', async () => {
    const sibling = await signedIn();
    new SessionMonitor(sibling, { exitUrl: null });
    await show(page());
    expect(text()).toContain('Signed in.');
    watch();
    const link = find<HTMLAnchorElement>('a');
    expect([link.href, link.rel]).toEqual(['https://weather.test/', 'noreferrer']);
    expect(link.textContent).toContain('does not erase browser history');
    expect(find<HTMLElement>('main > div').style.position).toBe('sticky');
    const press = new MouseEvent('click', { bubbles: true, cancelable: true });
    link.dispatchEvent(press);
    expect(press.defaultPrevented).toBe(true);
    expect(gone).toEqual(['https://weather.test/ 0']);
    await rendered();
    expect([...service.sessions.values()][0]?.ended).toBe('logout');
    expect(sibling.getSnapshot()).toMatchObject({ status: 'unauthenticated', reason: 'logout' });
    expect(document.documentElement.childElementCount).toBe(0); // React draws nothing any more
  });

  it('goes by Shift three times, once', async () => {
    await signedIn();
    await show(page('Go.'));
    watch();
    shift();
    shift();
    expect(gone).toEqual([]);
    shift();
    expect(gone).toEqual(['https://weather.test/ 0']);
    await leavePage();
    shift();
    shift();
    shift();
    expect(gone.length).toBe(1);
  });

  it('takes along a page whose sibling left, without a button on it', async () => {
    const sibling = await signedIn();
    await show(<SessionProvider config={{ apiUrl: api }}><ExpiryWarning /></SessionProvider>);
    watch();
    await sibling.exit();
    await rendered();
    expect(gone).toEqual(['about:blank 0']);
  });

  it('leaves its look to the page', async () => {
    await show(<SessionProvider config={{ apiUrl: api }}><QuickExit className="exit" /><SessionStatus className="status" /></SessionProvider>);
    expect(find<HTMLElement>('.exit').style.position).toBe('');
    expect(find('.status').textContent).toBe('Signed out.');
    watch();
    expect(find<HTMLAnchorElement>('a').href).toBe('about:blank'); // a link without an address takes no focus
    find<HTMLElement>('a').click();
    expect(gone).toEqual(['about:blank 0']);
  });
});
