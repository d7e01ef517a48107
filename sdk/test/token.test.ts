import { describe, expect, it, vi } from 'vitest';
import { MemoryStorage } from '../src/index.js';
import type { SessionManager } from '../src/index.js';
import { api, header, outcome, pass, refusal, service, settle, signedIn, tab } from './world.js';

const state = (m: SessionManager) => m.getSnapshot();

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
    expect(service.steps).toBe(2); // no refresh mends these
    expect(state(m).status).toBe('authenticated');
  });

  it('sends nothing to strangers, and the proof to the service only', async () => {
    const m = await signedIn();
    await expect(m.fetch('https://evil.test/')).rejects.toMatchObject({ code: 'origin_denied' });
    await outcome(m.fetch(`${api}/auth/sessions/activity`, { method: 'POST' }));
    expect(service.last('/sessions/activity').headers.get('Session-CSRF')).toBe('csrf-sess_1');
    await outcome(m.fetch(`${location.origin}/notes`, { method: 'POST' }));
    expect(service.last('/notes').headers.get('Session-CSRF')).toBeNull();
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
