import { describe, expect, it } from 'vitest';
import type { SessionManager } from '../src/index.js';
import { read } from '../src/database.js';
import { api, closeTab, goOffline, header, outcome, pass, service, settle, signedIn, tab } from './world.js';

const state = (m: SessionManager) => m.getSnapshot();

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
    const kept = JSON.stringify(await read(`logout:${api}/auth`));
    expect(kept).not.toMatch(/rt_|sess_|csrf/);
    goOffline(false);
    const reloaded = tab(mode);
    await pass(1000);
    expect(state(reloaded).status).toBe('unauthenticated');
    expect([...service.sessions.values()][0]?.ended).toBe('logout');
    expect(await read(`logout:${api}/auth`)).toBeUndefined();
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
