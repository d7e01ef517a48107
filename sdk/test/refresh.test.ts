import { describe, expect, it, vi } from 'vitest';
import { MemoryStorage, SessionError } from '../src/index.js';
import { clearSite, lose, goOffline, header, json, lookAt, locks, outcome, pass, refusal, service, settle, signedIn, tab } from './world.js';

const status = (m: { getSnapshot(): { status: string } }) => m.getSnapshot().status;

describe.each([['cookie', {}], ['header', header]] as const)('tabs in %s mode', (_, mode) => {
  it('ten of them refresh with one step a round, whatever fails', async () => {
    const first = await signedIn(mode);
    const all = [first, ...Array.from({ length: 9 }, () => tab(mode))];
    await settle();
    expect(all.map(status)).toEqual(all.map(() => 'authenticated'));
    for (let round = 1; round <= 8; round++) {
      if (round % 2) service.faults = [lose, () => refusal(503, 'unavailable', undefined, { 'Retry-After': '1' })];
      await outcome(Promise.all(all.map((m) => m.refreshSession())), 60_000);
      await settle();
      expect(service.steps).toBe(round);
    }
    expect(all.map(status)).toEqual(all.map(() => 'authenticated'));
  });

  it('lose nobody where there are no locks, no channels and no IndexedDB', async () => {
    await clearSite();
    vi.stubGlobal('indexedDB', undefined);
    vi.stubGlobal('BroadcastChannel', undefined);
    Object.defineProperty(navigator, 'locks', { value: undefined, configurable: true });
    const shared = mode === header ? { ...mode, storage: new (class extends Map<string, string> { getItem(k: string) { return this.get(k); } setItem(k: string, v: string) { this.set(k, v); } removeItem(k: string) { this.delete(k); } })() } : mode;
    const all = [await signedIn(shared), tab(shared), tab(shared)];
    await settle();
    for (let round = 0; round < 4; round++) {
      await outcome(Promise.all(all.map((m) => m.refreshSession())));
      await pass(1000);
    }
    expect(all.map(status)).toEqual(all.map(() => 'authenticated'));
  });

  it('do not wait for ever for one that is frozen with the lock', async () => {
    const m = await signedIn(mode);
    locks.freeze();
    await outcome(m.refreshSession(), 12_000);
    expect(service.steps).toBe(1);
  });

  it('never call anybody while they hold the lock', async () => {
    const m = await signedIn(mode);
    let most = 0;
    m.subscribe(() => { most = Math.max(most, locks.held); });
    m.onSessionChange(() => { most = Math.max(most, locks.held); });
    service.faults = [() => { throw new TypeError('lost'); }];
    await outcome(m.refreshSession());
    expect(most).toBe(0);
  });

  it('refresh by themselves before the end, for a whole day, and then the session ends', async () => {
    const m = await signedIn(mode);
    await pass(11 * 3_600_000 + 54 * 60_000);
    expect(service.steps).toBe(0);
    await pass(120_000);
    expect(service.steps).toBe(1);
    expect(status(m)).toBe('authenticated');
    service.end('session_ended');
    await pass(12.2 * 3_600_000);
    expect(m.getSnapshot()).toMatchObject({ status: 'unauthenticated', reason: 'expired' });
  });

  it('do not believe a clock that is 13 hours fast', async () => {
    service.skew = -13 * 3_600_000;
    const m = await signedIn(mode);
    expect((await outcome(m.validateSession())).valid).toBe(true);
    await pass(60_000);
    expect(service.steps).toBe(0);
    const other = tab(mode);
    await settle();
    expect(status(other)).toBe('authenticated');
  });

  it('keep a session for which the whole network is gone for ten minutes', async () => {
    const m = await signedIn(mode);
    goOffline(true);
    await expect(outcome(m.refreshSession())).rejects.toMatchObject({ code: 'network_error', retryable: true });
    expect(m.getSnapshot()).toMatchObject({ status: 'authenticated', connection: 'lost' });
    expect(await outcome(m.validateSession())).toEqual({ valid: false, reason: 'network_error' });
    await pass(600_000);
    expect(status(m)).toBe('authenticated');
    goOffline(false);
    await pass(5000);
    expect(m.getSnapshot()).toMatchObject({ status: 'authenticated', connection: 'ok' });
  });

  it('end what the server says is over, once, everywhere', async () => {
    const m = await signedIn(mode);
    const other = tab(mode);
    await outcome(other.validateSession()); // its own first look is over
    const told: string[] = [];
    other.onSessionChange((event) => told.push(event));
    service.end('idle_timeout');
    await pass(10_000);
    expect(await outcome(m.validateSession())).toEqual({ valid: false, reason: 'session_expired' });
    await settle();
    expect(m.getSnapshot()).toMatchObject({ status: 'unauthenticated', reason: 'idle' });
    expect(other.getSnapshot()).toMatchObject({ status: 'unauthenticated', reason: 'idle' });
    expect(told).toEqual(['signed_out']);
    const later = tab(mode);
    await settle();
    expect(status(later)).toBe('unauthenticated');
  });

  it('are not signed in again by a refresh that logout overtook', async () => {
    const m = await signedIn(mode);
    let release = () => { /* set below */ };
    const held = new Promise<void>((done) => { release = done; });
    service.faults = [async (_s, serve) => { const answer = serve(); await held; return answer; }];
    const refreshing = m.refreshSession();
    const refused = expect(refreshing).rejects.toBeInstanceOf(SessionError);
    await settle();
    await outcome(m.logout());
    release();
    await settle();
    await refused;
    expect(m.getSnapshot()).toMatchObject({ status: 'unauthenticated', reason: 'logout' });
    const reloaded = tab(mode);
    await settle();
    expect(status(reloaded)).toBe('unauthenticated');
  });

  it('obey Retry-After in a storm of 429, and make no call meanwhile', async () => {
    const m = await signedIn(mode);
    service.always = () => refusal(429, 'rate_limited', undefined, { 'Retry-After': '600' });
    const before = service.seen.length;
    await expect(outcome(m.refreshSession())).rejects.toMatchObject({ code: 'rate_limited', retryAfter: 600_000 });
    for (let i = 0; i < 20; i++) {
      await expect(outcome(m.refreshSession())).rejects.toMatchObject({ code: 'rate_limited' });
      expect(await outcome(m.validateSession())).toEqual({ valid: false, reason: 'rate_limited' });
      lookAt();
    }
    expect(service.seen.length - before).toBe(1);
    service.always = undefined;
    await pass(600_000);
    await outcome(m.refreshSession());
    expect(status(m)).toBe('authenticated');
  });

  const html = (code: number, body = '<html>Sign in to the hotel</html>') => () => new Response(body, { status: code, headers: { 'Content-Type': 'text/html' } });
  it.each([
    ['a portal says 200', html(200)],
    ['a portal says 401', html(401)],
    ['a proxy says 502', html(502)],
    ['a proxy says 401 in JSON of its own', () => json(401, { error: 'session_invalid' })],
    ['an envelope is no JSON', () => new Response('{"success":fal', { status: 401, headers: { 'Content-Type': 'application/json' } })],
    ['an envelope has no code', () => json(401, { success: false, error: {} })],
    ['an error comes with 200', () => refusal(200, 'session_invalid')],
    ['a success is empty', () => json(200, { success: true, data: {} })],
    ['a success comes with 401', () => json(401, { success: true, data: {} })],
    ['an answer is huge', () => json(401, { success: false, error: { code: 'session_invalid', message: 'x'.repeat(1 << 19) } })],
    ['a body breaks off', () => new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('{"succ')); c.error(new TypeError('aborted')); } }), { status: 401, headers: { 'Content-Type': 'application/json' } })],
    ['a code is of another status', () => refusal(503, 'session_invalid')],
    ['the origin is refused', () => refusal(403, 'origin_denied')],
  ])('are not signed out when %s', async (_what, fault) => {
    const m = await signedIn(mode);
    service.always = fault;
    await pass(6000);
    await expect(outcome(m.refreshSession(), 60_000)).rejects.toBeInstanceOf(SessionError);
    expect((await outcome(m.validateSession())).valid).toBe(false);
    expect(status(m)).toBe('authenticated');
    const reloaded = tab(mode);
    await settle();
    await pass(3000);
    expect(status(reloaded)).not.toBe('unauthenticated');
    service.always = undefined;
    await pass(130_000);
    expect([status(m), status(reloaded)]).toEqual(['authenticated', 'authenticated']);
  });

  it('give up a call that is never answered, after 8 seconds under the lock', async () => {
    const m = await signedIn(mode);
    const chance = vi.spyOn(Math, 'random').mockReturnValue(0.5); // the repetition does not begin at once
    let called = false;
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => new Promise((_done, fail) => { called ||= url.endsWith('/refresh'); init.signal?.addEventListener('abort', () => { fail(new DOMException('aborted', 'AbortError')); }); }));
    const lost = expect(m.refreshSession()).rejects.toMatchObject({ code: 'network_error' });
    while (!called) await settle();
    expect(locks.held).toBe(1);
    await vi.advanceTimersByTimeAsync(8100);
    await settle();
    expect(locks.held).toBe(0);
    await pass(90_000);
    await lost;
    expect(status(m)).toBe('authenticated');
    chance.mockRestore();
  });
});

describe('a superseded pair', () => {
  it('is never shown twice, and signs nobody out', async () => {
    const storage = { getItem: () => null, setItem: () => { throw new Error('full'); }, removeItem: () => null };
    const m = await signedIn({ ...header, storage });
    service.faults = [() => refusal(409, 'refresh_superseded')];
    await expect(outcome(m.refreshSession(), 60_000)).rejects.toMatchObject({ code: 'refresh_superseded' });
    await expect(outcome(m.refreshSession(), 60_000)).rejects.toMatchObject({ code: 'refresh_superseded' });
    expect(service.count('/sessions/refresh')).toBe(1);
    expect(status(m)).toBe('authenticated');
  });

  it('is replaced by what the sibling stored', async () => {
    const m = await signedIn(header);
    const sibling = tab(header);
    await settle();
    service.faults = [async () => { await sibling.refreshSession.call(sibling).catch(() => undefined); return refusal(409, 'refresh_superseded'); }];
    Object.defineProperty(navigator, 'locks', { value: undefined, configurable: true });
    const data = await outcome(m.refreshSession());
    expect(data.refresh_token).toBe(sibling.getStoredSession().refreshToken);
    expect(service.steps).toBe(1);
  });
});

describe('timers', () => {
  it('of more than 2^31 ms do not fire at once', async () => {
    service.life = 60 * 86_400;
    const m = await signedIn({ ...header, storage: new MemoryStorage() });
    await pass(20 * 86_400_000);
    expect(service.steps).toBe(0);
    expect(status(m)).toBe('authenticated');
  });

  it('that slept are made good when somebody looks', async () => {
    const m = await signedIn({});
    vi.setSystemTime(Date.now() + 3 * 3_600_000); // the machine slept: the clock went on, timers did not
    service.end('session_ended');
    lookAt();
    await settle();
    expect(m.getSnapshot()).toMatchObject({ status: 'unauthenticated', reason: 'expired' });
  });

  it('of a clock that jumps end nothing', async () => {
    const m = await signedIn({});
    vi.setSystemTime(Date.now() + 1000);
    for (const jump of [13 * 3_600_000, -26 * 3_600_000, 5 * 86_400_000]) {
      for (const s of service.sessions.values()) { s.expires += jump; s.since += jump; } // the server's clock did not jump
      vi.setSystemTime(Date.now() + jump);
      lookAt();
      await settle();
      expect(status(m)).toBe('authenticated');
    }
  });

  it('follow refreshThreshold, and an end that the page gives', async () => {
    const m = await signedIn({ refreshThreshold: 3600 });
    await pass(11 * 3_600_000 + 5000);
    expect(service.steps).toBe(1);
    const end = Date.parse(m.getSnapshot().session?.expires_at ?? '');
    m.scheduleRefresh(new Date(end - 10 * 3_600_000).toISOString());
    await pass(3_700_000);
    expect(service.steps).toBe(2);
  });
});
