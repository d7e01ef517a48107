import { describe, expect, it } from 'vitest';
import { MemoryStorage, SecureStorage } from '../src/index.js';
import type { SessionManager } from '../src/index.js';
import { read } from '../src/database.js';
import { Channel, FakeSocket, api, closeTab, goOffline, header, outcome, pass, refusal, service, settle, signedIn, tab } from './world.js';

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
    expect(await read(`mark:${api}/auth`)).toBeUndefined();
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

  it.each([['cookie', {}], ['header', header]])('anew keeps the new pair when the stream tells of it before the answer does: %s', async (_, config) => {
    const m = await signedIn(config);
    service.faults = [async (seen, serve) => {
      const answer = serve();
      expect(seen.path).toBe('/sessions/reauthenticate');
      FakeSocket.all.at(-1)?.say({ event: 'session.updated', permissions: ['read:profile'] });
      await settle();
      return answer;
    }];
    expect((await outcome(m.reauthenticate({ signature: 'again' }))).session_id).toBe('sess_1');
    await settle();
    expect(m.getSnapshot().status).toBe('authenticated');
    expect(m.getStoredSession().token).toBe(config === header ? 'st.sess_1.2' : null);
    expect(service.sessions.get('sess_1')?.ended).toBeUndefined();
  });

  it('anew keeps nothing for a session that was left meanwhile, or another one', async () => {
    const m = await signedIn(header);
    service.faults = [async (_, serve) => { const answer = serve(); await m.clearSession(); return answer; }];
    await expect(outcome(m.reauthenticate({ signature: 'again' }))).rejects.toMatchObject({ code: 'session_invalid' });
    expect([m.getSnapshot().status, m.getStoredSession().token]).toEqual(['unauthenticated', null]);
    await outcome(m.createSession({ signature: 'a' }));
    service.faults = [async (_, serve) => { const answer = serve(); await m.createSession({ signature: 'b' }); return answer; }];
    await expect(outcome(m.reauthenticate({ signature: 'again' }))).rejects.toMatchObject({ code: 'session_invalid' });
    expect(m.getSnapshot().session?.session_id).toBe('sess_3');
  });

  it.each([['cookie', {}], ['header', header]] as const)('anew in %s mode is not undone by the socket that tells of it first', async (_, mode) => {
    const m = await signedIn(mode);
    service.faults = [(_s, serve) => {
      const answer = serve();
      FakeSocket.all[0]?.say({ event: 'session.updated', permissions: [] });
      return answer;
    }];
    expect(await outcome(m.reauthenticate({ signature: 'again' }))).toMatchObject({ session_id: 'sess_1' });
    await settle();
    expect(state(m)).toMatchObject({ status: 'authenticated' });
    if (mode === header) expect(m.getStoredSession().token).toBe('st.sess_1.2');
    for (const s of service.sessions.values()) s.permissions = ['write:messages'];
    FakeSocket.all.at(-1)?.say({ event: 'session.updated', permissions: [] });
    await settle();
    expect(state(m).session?.permissions).toEqual(['write:messages']);
  });

  it('anew that logout overtook signs nobody in again', async () => {
    const m = await signedIn(header);
    let release = () => { /* set below */ };
    const slow = new Promise<void>((done) => { release = done; });
    service.faults = [async (_s, serve) => { const answer = serve(); await slow; return answer; }];
    const refused = expect(m.reauthenticate({ signature: 'again' })).rejects.toMatchObject({ code: 'session_invalid' });
    await settle();
    await outcome(m.logout());
    release();
    await settle();
    await refused;
    expect(state(m)).toMatchObject({ status: 'unauthenticated', reason: 'logout' });
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
