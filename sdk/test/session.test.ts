import { describe, expect, it, vi } from 'vitest';
import { MemoryStorage, SESSION_ERRORS, SecureStorage, SessionError, SessionManager, handleSessionError, isSessionError, retryWithBackoff } from '../src/index.js';
import { read, write } from '../src/database.js';
import { parseMessage } from '../src/channel.js';
import { Channel, FakeSocket, act, api, clearSite, closeTab, goOffline, header, lookAt, outcome, pass, refusal, service, settle, signedIn, tab } from './world.js';

const state = (m: SessionManager) => m.getSnapshot();

describe('sign-in', () => {
  it('is by cookie in a browser, reports activity, and gives no secret to a page', async () => {
    const m = await signedIn();
    expect(service.last('/sessions').body).toEqual({ session_type: 'standard', transport: 'cookie', activity: 'reported' });
    expect(service.last('/sessions').headers.get('Authorization')).toBe('Bearer credential');
    expect(m.getStoredSession()).toMatchObject({ token: null, refreshToken: null });
    expect(await m.getToken()).toBeNull();
    expect(JSON.stringify(state(m))).not.toMatch(/csrf|rt_|st\./);
    expect(state(m)).toMatchObject({ status: 'authenticated', session: { session_id: 'sess_1', permissions: ['read:profile'] } });
    await outcome(m.refreshSession());
    expect(service.last('/sessions/refresh').headers.get('Session-CSRF')).toBe('csrf-sess_1');
    expect(service.last('/sessions/refresh').credentials).toBe('include');
  });

  it('by header keeps the specification\'s keys, and sends no cookies', async () => {
    const storage = new MemoryStorage();
    const m = await signedIn({ storage });
    expect(storage.getItem('mv_session_token')).toBe('st.sess_1.1');
    expect(storage.getItem('mv_refresh_token')).toBe('rt_sess_1.1');
    expect(storage.getItem('mv_expires_at')).toBe(state(m).session?.expires_at);
    expect(m.getStoredSession().token).toBe('st.sess_1.1');
    expect(service.seen.every((s) => s.credentials === 'omit')).toBe(true);
    await m.clearSession();
    expect(storage.getItem('mv_session_token')).toBeNull();
  });

  it('takes over what the specification\'s client left in a storage', async () => {
    const first = await signedIn({ storage: new MemoryStorage() });
    const { token, refreshToken, expiresAt } = first.getStoredSession();
    const map = new MemoryStorage();
    const storage = { getItem: async (k: string) => map.getItem(k), setItem: async (k: string, v: string) => { map.setItem(k, v); }, removeItem: async (k: string) => { map.removeItem(k); } };
    for (const [k, v] of [['mv_session_token', token], ['mv_refresh_token', refreshToken], ['mv_expires_at', expiresAt]] as const) await storage.setItem(k, v ?? '');
    const m = tab({ storage });
    await settle();
    expect(state(m)).toMatchObject({ status: 'authenticated', session: { session_id: 'sess_1' } });
  });

  it('takes a pair that the page got itself', async () => {
    const first = await signedIn({ storage: new MemoryStorage() });
    const { token, refreshToken, expiresAt } = first.getStoredSession();
    const m = tab({ storage: new MemoryStorage() });
    await outcome(m.storeSession({ session_token: token ?? '', refresh_token: refreshToken ?? '', expires_at: expiresAt ?? '' }));
    expect(state(m).session?.session_id).toBe('sess_1');
    await outcome(m.storeSession(await outcome(first.refreshSession())));
    expect(state(m).status).toBe('authenticated');
  });

  it('reaches the other tabs', async () => {
    const other = tab();
    await settle();
    expect(state(other)).toEqual({ status: 'unauthenticated', session: null, connection: 'ok' });
    const events: string[] = [];
    const stop = other.onSessionChange((e) => events.push(e));
    await signedIn();
    await settle();
    expect(state(other).status).toBe('authenticated');
    stop();
  });

  it('that is refused changes nothing', async () => {
    const m = await signedIn();
    service.faults = [() => refusal(401, 'credential_invalid')];
    await expect(outcome(m.createSession({ signature: 'x', type: 'professional', duration: 60, permissions: [], deviceLabel: 'Firefox' }))).rejects.toMatchObject({ code: 'credential_invalid', retryable: false });
    expect(state(m).status).toBe('authenticated');
  });

  it('without a name lives in memory only, and never beside cookies', async () => {
    for (const config of [{}, header, { storage: new SecureStorage() }]) {
      await expect(outcome(tab(config).createSession({ signature: 'x', type: 'anonymous' }))).rejects.toMatchObject({ code: 'invalid_request' });
    }
    const m = tab({ storage: new MemoryStorage() });
    await outcome(m.createSession({ signature: 'x', type: 'anonymous' }));
    expect(service.last('/sessions')).toMatchObject({ credentials: 'omit', body: { transport: 'header' } });
    expect(Channel.all.size).toBe(3); // none is its own
    expect(await read(`mark:${api}`)).toBeUndefined();
  });

  it('anew replaces every tab\'s tokens after reauthentication', async () => {
    const m = await signedIn(header);
    const other = tab(header);
    await settle();
    await outcome(m.reauthenticate({ signature: 'again' }));
    await settle();
    expect(service.last('/sessions/reauthenticate').body).toEqual({ credential: 'again' });
    expect(other.getStoredSession().token).toBe('st.sess_1.2');
  });

  it('survives a reload, in either mode, also offline', async () => {
    for (const mode of [{}, header]) {
      closeTab(await signedIn(mode));
      goOffline(true);
      const m = tab(mode);
      await settle();
      expect(state(m).status).toBe(mode === header ? 'authenticated' : 'loading');
      expect(state(m).connection).toBe('lost');
      goOffline(false);
      await pass(2000);
      expect(state(m).status).toBe('authenticated');
      await outcome(m.logout());
      closeTab(m);
    }
  });

  it('whose token ran out while the page was closed is refreshed', async () => {
    closeTab(await signedIn());
    for (const s of service.sessions.values()) s.expires = Date.now() - 1;
    const m = tab();
    await pass(3000);
    expect(state(m).status).toBe('authenticated');
    expect(service.steps).toBe(1);
  });
});

describe('sign-out', () => {
  it('clears first, tells every tab, and then the server with keepalive', async () => {
    const m = await signedIn(header);
    const other = tab(header);
    await settle();
    const done = m.logout();
    expect(state(m)).toEqual({ status: 'unauthenticated', session: null, reason: 'logout', connection: 'ok' });
    expect(await outcome(done)).toBe(true);
    expect(state(other)).toMatchObject({ status: 'unauthenticated', reason: 'logout' });
    expect(service.last('/sessions/logout').keepalive).toBe(true);
    expect([...service.sessions.values()][0]?.ended).toBe('logout');
    expect(await read('item:mv_refresh_token')).toBeUndefined();
  });

  it.each([['cookie', {}], ['header', header]] as const)('in %s mode without a network is told at the next start', async (_, mode) => {
    const m = await signedIn(mode);
    goOffline(true);
    expect(await outcome(m.logout())).toBe(false);
    closeTab(m);
    const kept = JSON.stringify(await read(`logout:${api}`));
    expect(kept).not.toMatch(/rt_|sess_|csrf/);
    goOffline(false);
    const reloaded = tab(mode);
    await pass(1000);
    expect(state(reloaded).status).toBe('unauthenticated');
    expect([...service.sessions.values()][0]?.ended).toBe('logout');
    expect(await read(`logout:${api}`)).toBeUndefined();
    expect(await outcome(reloaded.logout())).toBe(true);
  });

  it('of a page that did not know its session yet ends whichever it is', async () => {
    closeTab(await signedIn());
    goOffline(true);
    const m = tab();
    await settle();
    expect(await outcome(m.logout())).toBe(false);
    closeTab(m);
    goOffline(false);
    tab();
    await pass(1000);
    expect([...service.sessions.values()][0]?.ended).toBe('logout');
  });

  it('that is owed never ends a later session', async () => {
    const m = await signedIn();
    goOffline(true);
    await outcome(m.logout());
    closeTab(m);
    goOffline(false);
    await service.fetch(`${api}/auth/sessions`, { method: 'POST', body: '{"transport":"cookie"}' }); // signed in elsewhere on this origin
    const later = tab();
    await pass(1000);
    expect(state(later).session?.session_id).toBe('sess_2');
    expect(service.sessions.get('sess_2')?.ended).toBeUndefined();
  });
});

describe('fetch', () => {
  it('adds the token, and refreshes and repeats once when its time is over', async () => {
    const m = await signedIn({ ...header, origins: ['https://platform.test'] });
    const seen: (string | null)[] = [];
    const answers = [refusal(401, 'session_expired', { reason: 'token_expired' }), new Response('fine')];
    const outer = globalThis.fetch;
    vi.stubGlobal('fetch', async (i: RequestInfo, o?: RequestInit) => {
      const r = new Request(i, o);
      if (new URL(r.url).hostname !== 'platform.test') return outer(i, o);
      seen.push(r.headers.get('Authorization'), await r.text());
      return answers.shift() ?? refusal(401, 'session_expired', { reason: 'token_expired' });
    });
    const answer = await outcome(m.fetch('https://platform.test/notes', { method: 'POST', body: 'text' }));
    expect(await answer.text()).toBe('fine');
    expect(seen).toEqual(['Bearer st.sess_1.1', 'text', 'Bearer st.sess_1.2', 'text']);
    expect((await outcome(m.fetch(new Request('https://platform.test/')))).status).toBe(401);
    expect(service.steps).toBe(2);
    answers.push(new Response('no', { status: 401 }), refusal(401, 'session_expired', { reason: 'idle_timeout' }));
    expect((await outcome(m.fetch('https://platform.test/'))).status).toBe(401);
    expect((await outcome(m.fetch('https://platform.test/'))).status).toBe(401);
    expect(state(m).status).toBe('authenticated');
  });

  it('sends nothing to strangers, and the proof to the service only', async () => {
    const m = await signedIn();
    await expect(m.fetch('https://evil.test/')).rejects.toMatchObject({ code: 'origin_denied' });
    await outcome(m.fetch(`${api}/auth/sessions/activity`, { method: 'POST' }));
    expect(service.last('/sessions/activity').headers.get('Session-CSRF')).toBe('csrf-sess_1');
  });

  it('gets a new token first when this one is over', async () => {
    const m = await signedIn({ storage: new MemoryStorage() });
    service.faults = [];
    vi.advanceTimersByTime(0);
    for (const s of service.sessions.values()) s.expires = Date.now() + 100;
    await pass(6000);
    expect((await outcome(m.validateSession())).valid).toBe(true);
    expect(await outcome(m.getToken())).toBe('st.sess_1.2');
  });
});

describe('validation', () => {
  it('is asked once for many, kept a while, and never counts as a person', async () => {
    const m = await signedIn();
    const before = service.count('/sessions/validate');
    const all = await outcome(Promise.all([m.validateSession(), m.validateSession(), m.validateSession()]));
    expect(all[0]).toMatchObject({ valid: true, permissions: ['read:profile'] });
    await pass(3000);
    const later = await outcome(m.validateSession());
    expect(later.valid && all[0]?.valid && all[0].time_remaining - later.time_remaining).toBe(3);
    expect(service.count('/sessions/validate') - before).toBe(1);
    expect(service.last('/sessions/validate').headers.get('Session-Activity')).toBe('background');
    await pass(6000);
    await outcome(m.validateSession());
    expect(service.count('/sessions/validate') - before).toBe(2);
  });

  it('says no_token without a session, and refuses to refresh none', async () => {
    const m = tab({ storage: new MemoryStorage() });
    await settle();
    expect(await m.validateSession()).toEqual({ valid: false, reason: 'no_token' });
    await expect(m.refreshSession()).rejects.toMatchObject({ code: 'session_invalid' });
    expect(await m.getToken()).toBeNull();
    m.scheduleRefresh();
    await m.reportActivity();
  });

  it('ends a revoked session', async () => {
    const m = await signedIn();
    await pass(6000);
    service.end('revoked');
    expect(await outcome(m.validateSession())).toEqual({ valid: false, reason: 'session_invalid' });
    expect(state(m)).toMatchObject({ status: 'unauthenticated', reason: 'revoked' });
    expect(await outcome(m.validateSession())).toEqual({ valid: false, reason: 'no_token' });
  });
});

describe('what others say', () => {
  it.each([null, 1, 'ended', [], { v: 2, t: 'ended', id: 'sess_1', reason: 'logout' }, { v: 1 }, { v: 1, t: 'ended', id: 1, reason: 'x' }, { v: 1, t: 'ended', id: 'x'.repeat(999), reason: 'x' }, { v: 1, t: 'step', step: {} }, { v: 1, t: 'exit' }, { v: 1, t: '__proto__' }])('%j is no message', (data) => {
    expect(parseMessage(data)).toBeUndefined();
  });

  it('changes nothing that the server would not: hostile messages sign nobody in or out', async () => {
    const m = await signedIn();
    const c = new Channel(`mv ${api}`);
    for (const m2 of [{ v: 1, t: 'ended', id: 'other', reason: 'logout' }, { v: 1, t: 'exit', id: '' }, { v: 1, t: 'step', step: 'invented' }, { v: 1, t: 'changed' }, { v: 1, t: 'active' }, { v: 1, t: 'reported' }, { v: 9, t: 'ended', id: 'sess_1' }]) c.postMessage(m2);
    globalThis.postMessage({ v: 1, t: 'ended', id: 'sess_1', reason: 'logout' }, '*');
    await pass(1000);
    expect(state(m).status).toBe('authenticated');
    const none = tab({ storage: new MemoryStorage() });
    await settle();
    c.postMessage({ v: 1, t: 'changed' });
    await settle();
    expect(state(none).status).toBe('unauthenticated');
  });

  it('of another version of this package in the database does no harm', async () => {
    const m = await signedIn(header);
    for (const odd of [{ v: 2, step: 'x' }, 'text', { v: 1, step: 1 }, 7]) {
      await write(`mark:${api}`, odd);
      await outcome(m.refreshSession());
    }
    expect(service.steps).toBe(4);
    await write(`logout:${api}`, { v: 9 });
    await m.storage.setItem('mv_session', '{"v":2}');
    closeTab(m);
    const reloaded = tab(header);
    await settle();
    expect(state(reloaded).status).toBe('authenticated');
  });

  it('no secret is said on the channel', async () => {
    const m = await signedIn(header);
    await outcome(m.refreshSession());
    await outcome(m.logout());
    expect(JSON.stringify(Channel.said)).not.toMatch(/rt_|st\.|csrf/);
    expect(Channel.said.length).toBeGreaterThan(2);
  });
});

describe('the socket', () => {
  it('opens by cookie, or by a ticket that is in no address', async () => {
    await signedIn();
    expect(FakeSocket.all.map((s) => [s.url, s.protocols])).toEqual([['wss://sessions.test/api/auth/sessions/events', ['mentalverse.session.v1']]]);
    await signedIn({ ...header });
    expect(FakeSocket.all.at(-1)?.protocols).toEqual(['mentalverse.session.v1', 'mentalverse.ticket.ticket-1']);
  });

  it('ends the session in every tab when told', async () => {
    const m = await signedIn();
    const other = tab();
    await settle();
    const s = FakeSocket.all[0];
    for (const noise of ['{', '[]', '1', '{"event":"x"}', '{"event":"session.ended"}', '{"event":"session.ready","permissions":[1]}', 'x'.repeat(9999)]) s?.say(noise);
    s?.onmessage?.({ data: new ArrayBuffer(4) });
    s?.say({ event: 'session.ready', session_id: 'sess_1', permissions: [] });
    expect(state(m).status).toBe('authenticated');
    s?.say({ event: 'session.ended', reason: 'licence_changed' });
    await settle();
    expect([state(m), state(other)]).toMatchObject([{ reason: 'licence_changed' }, { reason: 'licence_changed' }]);
    s?.say({ event: 'session.ended', reason: 'revoked' });
    expect(s?.closed).toBe(1000);
  });

  it('opens again with back-off, but not after the end', async () => {
    await signedIn();
    FakeSocket.all[0]?.onopen?.();
    await pass(11_000);
    FakeSocket.all[0]?.onclose?.({ code: 1006 });
    await pass(2000);
    expect(FakeSocket.all.length).toBe(2);
    FakeSocket.all[1]?.onclose?.({ code: 4004 });
    await pass(900);
    expect(FakeSocket.all.length).toBe(2);
    await pass(3000);
    expect(FakeSocket.all.length).toBe(3);
    FakeSocket.all[2]?.onclose?.({ code: 4001 });
    FakeSocket.all[1]?.onclose?.({ code: 1006 });
    await pass(200_000);
    expect(FakeSocket.all.length).toBe(3);
  });

  it('whose ticket is refused waits', async () => {
    service.always = (s, serve) => s.path.endsWith('/ticket') ? refusal(503, 'unavailable') : serve();
    const m = await signedIn(header);
    await pass(5000);
    expect(FakeSocket.all.length).toBe(0);
    service.always = undefined;
    await pass(120_000);
    expect(FakeSocket.all.length).toBe(1);
    m.dispose();
    expect(FakeSocket.all[0]?.closed).toBe(1000);
  });

  it('of another session, and changed permissions, make it look again', async () => {
    const m = await signedIn();
    for (const s of service.sessions.values()) s.permissions = ['write:messages'];
    FakeSocket.all[0]?.say({ event: 'session.updated', permissions: ['write:messages'] });
    await settle();
    expect(state(m).session?.permissions).toEqual(['write:messages']);
    const before = service.count('/sessions/current');
    FakeSocket.all[0]?.say({ event: 'session.ready', session_id: 'sess_9', permissions: [] });
    await settle();
    expect(service.count('/sessions/current')).toBe(before + 1);
    const heard: unknown[] = [];
    m.onExpiring((e) => heard.push(e));
    FakeSocket.all.at(-1)?.say({ event: 'session.expiring', reason: 'idle_timeout', ends_in: 120 });
    expect(heard).toEqual([{ reason: 'idle_timeout', endsIn: 120 }]);
  });

  it('lets the page into the back/forward cache, and looks when it comes back', async () => {
    const m = await signedIn();
    globalThis.dispatchEvent(new Event('pagehide'));
    expect(FakeSocket.all[0]?.closed).toBe(1000);
    service.end('logout');
    globalThis.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
    globalThis.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }));
    await settle();
    expect(state(m).status).toBe('unauthenticated');
  });
});

describe('activity', () => {
  it('is told at most once a minute by all tabs, and only a person makes it', async () => {
    const m = await signedIn();
    act();
    act('keydown', false);
    await pass(61_000);
    expect(service.count('/sessions/activity')).toBe(0);
    act('scroll');
    act('mousemove', false);
    await settle();
    expect(service.count('/sessions/activity')).toBe(0);
    act('mousemove');
    act('mousemove');
    await pass(2000);
    act();
    await settle();
    expect(service.count('/sessions/activity')).toBe(1);
    service.faults = [() => refusal(503, 'unavailable')];
    await pass(61_000);
    act();
    await settle();
    await pass(11_000);
    act();
    await settle();
    expect(service.count('/sessions/activity')).toBe(3);
    for (const s of service.sessions.values()) s.expires = Date.now();
    await expect(outcome(m.reportActivity())).rejects.toMatchObject({ code: 'session_expired' });
    expect(service.steps).toBe(1);
    service.end('idle_timeout');
    await expect(outcome(m.reportActivity())).rejects.toMatchObject({ code: 'session_expired' });
    expect(state(m)).toMatchObject({ reason: 'idle' });
  });
});

describe('SecureStorage', () => {
  it('survives a reload, keeps nothing readable, and binds an item to its place', async () => {
    const a = new SecureStorage();
    await a.setItem('x', 'geheim ✓');
    expect(await new SecureStorage().getItem('x')).toBe('geheim ✓');
    const kept = await read('item:x') as string;
    expect(kept).toMatch(/^1\.[\w-]+$/);
    expect(kept.length).toBeLessThan(70);
    await write('item:y', kept);
    expect(await a.getItem('y')).toBeNull();
    await write('item:x', `${kept.slice(0, -2)}AA`);
    expect(await a.getItem('x')).toBeNull();
    await write('item:x', '2.AAAA');
    expect(await a.getItem('x')).toBeNull();
    await a.removeItem('x');
    expect(await a.getItem('x')).toBeNull();
    expect((await a.encryptionKey).extractable).toBe(false);
    await expect(crypto.subtle.exportKey('raw', await a.encryptionKey)).rejects.toThrow();
    expect(await a.decrypt(await a.encrypt('text'))).toBe('text');
    expect(a.durable).toBe(true);
  });

  it('makes one key when two tabs begin at once, and agrees again after the site is cleared', async () => {
    const [a, b] = [new SecureStorage(), new SecureStorage()];
    await Promise.all([a.setItem('a', '1'), b.setItem('b', '2')]);
    expect([await b.getItem('a'), await a.getItem('b')]).toEqual(['1', '2']);
    await clearSite();
    expect(await a.getItem('a')).toBeNull();
    await new SecureStorage().setItem('c', '3');
    await a.setItem('d', '4');
    expect(await new SecureStorage().getItem('d')).toBe('4');
    expect(await b.getItem('c')).toBe('3');
  });

  it('lives in memory where storage is denied or full', async () => {
    await clearSite();
    vi.stubGlobal('indexedDB', { open() { throw new DOMException('denied', 'SecurityError'); } });
    const a = new SecureStorage();
    await a.setItem('x', '1');
    expect([await a.getItem('x'), a.durable]).toEqual(['1', false]);
    await a.removeItem('x');
    expect(await a.getItem('x')).toBeNull();
    const m = await signedIn(header);
    expect(state(m).status).toBe('authenticated');
    await outcome(m.refreshSession());
    await outcome(m.logout());
    vi.stubGlobal('indexedDB', { open() { const r: { onerror?: () => void } = {}; queueMicrotask(() => r.onerror?.()); return r; } });
    expect(await read('x')).toBeUndefined();
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto), randomUUID: crypto.randomUUID.bind(crypto) });
    const b = new SecureStorage();
    await b.setItem('x', '2');
    expect(await b.getItem('x')).toBe('2');
  });
});

describe('errors', () => {
  const error = (code: string, details = {}) => new SessionError(code, 'No.', { status: 401, details });

  it('are told apart, also those of another copy', () => {
    expect(isSessionError(error('x'))).toBe(true);
    expect(isSessionError(Object.assign(new Error('x'), { name: 'SessionError', code: 'x', retryable: false }))).toBe(true);
    expect(isSessionError(new Error('x'))).toBe(false);
    expect(isSessionError(null)).toBe(false);
  });

  it('lead to what they ask for', async () => {
    const m = await signedIn();
    const done: unknown[] = [];
    const actions = { signIn: (e: SessionError) => done.push(e.code), reauthenticate: () => done.push('again'), upgrade: (missing: string[]) => done.push(missing), other: () => done.push('other'), retry: async () => done.push('retried') };
    await outcome(handleSessionError(error(SESSION_ERRORS.EXPIRED, { reason: 'token_expired' }), m, actions));
    expect(service.steps).toBe(1);
    await handleSessionError(error('reauthentication_required'), m, actions);
    await handleSessionError(error(SESSION_ERRORS.PERMISSION_DENIED, { missing: ['a'] }), m, actions);
    await handleSessionError(error(SESSION_ERRORS.PERMISSION_DENIED), m, actions);
    await handleSessionError(error('network_error'), m, actions);
    await handleSessionError(error('not_found'), m, actions);
    await handleSessionError(new Error('x'), m, actions);
    await handleSessionError(error(SESSION_ERRORS.EXPIRED, { reason: 'idle_timeout' }), m, actions);
    expect(done).toEqual(['again', ['a'], [], 'retried', 'other', 'other', 'session_expired']);
    expect(state(m).status).toBe('unauthenticated');
    for (const code of ['reauthentication_required', 'permission_denied', 'not_found', 'session_invalid', 'refresh_failed']) {
      await expect(handleSessionError(error(code), m)).rejects.toMatchObject({ code });
    }
    await expect(handleSessionError(error(SESSION_ERRORS.EXPIRED), m)).rejects.toMatchObject({ code: 'session_invalid' });
    await outcome(Promise.resolve(handleSessionError(error('network_error'), m)));
  });

  it('go in no circles when the refresh is refused too', async () => {
    const m = await signedIn();
    service.always = () => refusal(401, 'session_expired', { reason: 'session_ended' });
    const done: string[] = [];
    await outcome(Promise.resolve(handleSessionError(error(SESSION_ERRORS.EXPIRED), m, { signIn: () => done.push('in') })));
    expect(done).toEqual(['in']);
    expect(service.count('/sessions/refresh')).toBe(1);
  });

  it('are retried with back-off, a few times', async () => {
    let calls = 0;
    await expect(outcome(retryWithBackoff(async () => { calls++; throw error('unavailable'); }, 3), 120_000)).rejects.toMatchObject({ code: 'unavailable' });
    expect(calls).toBe(3);
    await expect(retryWithBackoff(async () => { throw error('session_invalid'); })).rejects.toMatchObject({ code: 'session_invalid' });
  });
});

it('a listener that throws harms nobody', async () => {
  const m = tab();
  const thrown = vi.fn();
  const outer = setTimeout;
  vi.stubGlobal('setTimeout', (f: () => void, ms?: number) => ms === undefined ? (() => { try { f(); } catch (e) { thrown(e); } })() : outer(f, ms));
  let told = 0;
  m.subscribe(() => { throw new Error('page'); });
  m.subscribe(() => { told++; });
  await outcome(m.createSession({ signature: 'x' }));
  expect(told).toBeGreaterThan(0);
  expect(thrown).toHaveBeenCalled();
});

it('a disposed manager is silent', async () => {
  const m = await signedIn();
  m.dispose();
  const before = service.seen.length;
  lookAt();
  act();
  await pass(86_400_000, 20);
  expect(service.seen.length).toBe(before);
  expect(Channel.all.size).toBe(0);
});

it('runs outside browsers, with a storage of the program\'s', async () => {
  for (const name of ['document', 'location', 'WebSocket', 'BroadcastChannel', 'indexedDB']) vi.stubGlobal(name, undefined);
  const m = tab();
  await outcome(m.createSession({ signature: 'x' }));
  expect(service.last('/sessions').body).toEqual({ session_type: 'standard', transport: 'header' });
  await outcome(m.refreshSession());
  expect((await outcome(m.validateSession())).valid).toBe(true);
  await outcome(m.fetch(`${api}/auth/sessions/validate`));
});
