import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../src/index.js';
import type { SessionManager } from '../src/index.js';
import { read, write } from '../src/database.js';
import { parseMessage } from '../src/channel.js';
import { Channel, FakeSocket, api, clearSite, closeTab, header, outcome, pass, refusal, service, settle, signedIn, tab } from './world.js';

const state = (m: SessionManager) => m.getSnapshot();

describe('what others say', () => {
  it.each([null, 1, 'ended', [], { v: 2, t: 'ended', id: 'sess_1', reason: 'logout' }, { v: 1 }, { v: 1, t: 'ended', id: 1, reason: 'x' }, { v: 1, t: 'ended', id: 'x'.repeat(999), reason: 'x' }, { v: 1, t: 'step', step: {} }, { v: 1, t: 'exit' }, { v: 1, t: '__proto__' }])('%j is no message', (data) => {
    expect(parseMessage(data)).toBeUndefined();
  });

  it('changes nothing that the server would not: hostile messages sign nobody in or out', async () => {
    const m = await signedIn();
    const events: string[] = [];
    m.onSessionChange((event) => { events.push(event); });
    const c = new Channel(`mv ${api}/auth`);
    for (const m2 of [{ v: 1, t: 'ended', id: 'other', reason: 'logout' }, { v: 1, t: 'exit', id: '' }, { v: 1, t: 'step', step: 'invented' }, { v: 1, t: 'changed' }, { v: 1, t: 'active' }, { v: 1, t: 'reported' }, { v: 9, t: 'ended', id: 'sess_1' }]) c.postMessage(m2);
    globalThis.postMessage({ v: 1, t: 'ended', id: 'sess_1', reason: 'logout' }, '*');
    await pass(1000);
    expect(state(m).status).toBe('authenticated');
    expect(events).not.toContain('signed_out'); // not even for a moment
    const none = tab({ storage: new MemoryStorage() });
    await settle();
    c.postMessage({ v: 1, t: 'changed' });
    await settle();
    expect(state(none).status).toBe('unauthenticated');
  });

  it('late, as to a page that was frozen, undoes nothing that began since', async () => {
    const m = await signedIn(header);
    const frozen = [...Channel.all];
    Channel.all.clear();
    const other = tab(header);
    await settle();
    await outcome(other.logout());
    await outcome(other.createSession({ signature: 'a' }));
    for (const c of frozen) Channel.all.add(c);
    new Channel(`mv ${api}/auth`).postMessage({ v: 1, t: 'ended', id: 'sess_1', reason: 'logout' });
    await settle();
    expect([state(m).status, state(other).status]).toEqual(['unauthenticated', 'authenticated']);
    const later = tab(header);
    await settle();
    expect(later.getStoredSession().token).toBe('st.sess_2.1');
  });

  it('of a later version of the database, which has more in it, is no denial', async () => {
    await clearSite();
    await new Promise((done, fail) => {
      const request = indexedDB.open('mv', 3);
      request.onupgradeneeded = () => { request.result.createObjectStore('kv'); request.result.createObjectStore('more'); };
      request.onerror = fail;
      request.onsuccess = () => { request.result.close(); done(undefined); };
    });
    expect(await write('mark', 1)).toBe(true);
    expect(await read('mark')).toBe(1);
    await clearSite();
  });

  it('of another version of this package in the database does no harm', async () => {
    const m = await signedIn(header);
    for (const odd of [{ v: 2, step: 'x' }, 'text', { v: 1, step: 1 }, 7]) {
      await write(`mark:${api}/auth`, odd);
      await outcome(m.refreshSession());
    }
    expect(service.steps).toBe(4);
    await write(`logout:${api}/auth`, { v: 9 });
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
