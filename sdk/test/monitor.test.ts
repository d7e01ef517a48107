import { describe, expect, it, vi } from 'vitest';
import { SessionMonitor } from '../src/index.js';
import type { Expiry } from '../src/index.js';
import { FakeSocket, act, lookAt, outcome, pass, service, settle, signedIn, tab } from './world.js';

const minute = 60_000;

describe('the monitor', () => {
  it('warns two minutes before thirty minutes without anybody, and then leaves', async () => {
    const m = await signedIn();
    const warnings: Expiry[] = [];
    const monitor = new SessionMonitor(m, { onWarning: (e) => warnings.push(e) });
    vi.stubGlobal('confirm', () => { throw new Error('it must not block'); });
    await pass(27 * minute);
    expect(warnings).toEqual([]);
    await pass(1.5 * minute);
    expect(warnings).toEqual([{ reason: 'idle_timeout', endsIn: 120 }]);
    await pass(2 * minute);
    expect(m.getSnapshot()).toMatchObject({ status: 'unauthenticated', reason: 'logout' });
    expect([...service.sessions.values()][0]?.ended).toBe('logout');
    monitor.dispose();
  });

  it('extends by telling the server that somebody is here', async () => {
    const m = await signedIn();
    const seen: string[] = [];
    const monitor = new SessionMonitor(m, { activityThreshold: 10 * minute, onResume: () => seen.push('resumed') });
    monitor.onWarning(() => seen.push('warned'));
    monitor.onResume(() => seen.push('again'));
    await pass(8.5 * minute);
    expect(seen).toEqual(['warned']);
    const before = service.count('/sessions/activity');
    await outcome(monitor.extend());
    expect(service.count('/sessions/activity')).toBe(before + 1);
    expect(seen).toEqual(['warned', 'resumed', 'again']);
    await pass(7 * minute);
    expect(m.getSnapshot().status).toBe('authenticated');
    act();
    await pass(9 * minute);
    expect(seen.filter((s) => s === 'warned').length).toBe(2);
    expect(service.count('/sessions/refresh')).toBe(0);
  });

  it('extends nothing hours later, whoever answers', async () => {
    const m = await signedIn();
    const monitor = new SessionMonitor(m);
    monitor.dispose();
    await pass(31 * minute);
    await expect(outcome(monitor.extend())).rejects.toMatchObject({ code: 'session_expired' });
    expect(m.getSnapshot().status).toBe('unauthenticated');
  });

  it('sees the person in any tab', async () => {
    const a = await signedIn();
    const b = tab();
    await settle();
    const warned = vi.fn();
    new SessionMonitor(a, { onWarning: warned });
    await pass(20 * minute);
    b.activity.sign();
    await settle();
    await pass(20 * minute);
    expect(warned).not.toHaveBeenCalled();
  });

  it('tells of the absolute end, which nothing moves', async () => {
    const m = await signedIn();
    const warnings: Expiry[] = [];
    const monitor = new SessionMonitor(m, { activityThreshold: 9e9, onWarning: (e) => warnings.push(e) });
    FakeSocket.all[0]?.say({ event: 'session.expiring', reason: 'idle_timeout', ends_in: 120 });
    expect(warnings).toEqual([]);
    FakeSocket.all[0]?.say({ event: 'session.expiring', reason: 'session_ended', ends_in: 120 });
    FakeSocket.all[0]?.say({ event: 'session.expiring', reason: 'session_ended', ends_in: 119 });
    expect(warnings).toEqual([{ reason: 'session_ended', endsIn: 120 }]);
    monitor.dispose();
    const late = new SessionMonitor(m, { activityThreshold: 9e9, warning: 86_300_000, onWarning: (e) => warnings.push(e) });
    await late.checkInactivity();
    await pass(2 * minute);
    await late.checkInactivity();
    expect(warnings.length).toBe(2);
    late.dispose();
  });

  it('asks the server when the machine slept', async () => {
    const m = await signedIn();
    const monitor = new SessionMonitor(m);
    vi.setSystemTime(Date.now() + 3 * 3_600_000);
    service.end('idle_timeout');
    lookAt();
    await outcome(monitor.checkInactivity());
    expect(m.getSnapshot()).toMatchObject({ status: 'unauthenticated', reason: 'idle' });
    await monitor.checkInactivity();
  });

  it('cleans up after itself', async () => {
    const add = vi.spyOn(document, 'addEventListener');
    const remove = vi.spyOn(document, 'removeEventListener');
    const m = await signedIn();
    const monitor = new SessionMonitor(m, { exitUrl: 'https://weather.test/' });
    monitor.setupActivityTracking();
    monitor.dispose();
    m.dispose();
    expect(remove.mock.calls.length).toBe(add.mock.calls.length);
    await settle();
    const timers = vi.getTimerCount();
    await pass(minute);
    expect(timers).toBeLessThan(3);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('quick exit', () => {
  it('blanks the page first, ends the session and takes the siblings along', async () => {
    const m = await signedIn();
    const sibling = tab();
    await settle();
    const gone: string[] = [];
    vi.spyOn(location, 'replace').mockImplementation((url) => { gone.push(`${String(url)} ${document.documentElement.childElementCount}`); });
    new SessionMonitor(sibling, {});
    const monitor = new SessionMonitor(m, { exitUrl: 'https://weather.test/' });
    const shift = (key = 'Shift', repeat = false) => document.dispatchEvent(Object.assign(new Event('keydown'), { key, repeat }));
    const html = document.documentElement.innerHTML;
    shift(); shift(); shift('a'); shift(); shift('Shift', true); shift();
    expect(gone).toEqual([]);
    shift();
    await settle();
    await pass(1000);
    expect(gone).toEqual(['https://weather.test/ 0', 'about:blank 0']);
    expect([m, sibling].map((t) => t.getSnapshot().status)).toEqual(['unauthenticated', 'unauthenticated']);
    expect([...service.sessions.values()][0]?.ended).toBe('logout');
    expect(service.last('/sessions/logout').keepalive).toBe(true);
    await outcome(monitor.quickExit('https://other.test/'));
    expect(gone.at(-1)).toBe('https://other.test/ 0');
    document.documentElement.innerHTML = html;
  });
});
