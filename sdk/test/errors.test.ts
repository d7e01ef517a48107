import { describe, expect, it } from 'vitest';
import { SESSION_ERRORS, SessionError, handleSessionError, isSessionError, retryWithBackoff } from '../src/index.js';
import type { SessionManager } from '../src/index.js';
import { outcome, refusal, service, signedIn } from './world.js';

const state = (m: SessionManager) => m.getSnapshot();

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
