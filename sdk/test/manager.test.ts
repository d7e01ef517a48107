import { expect, it, vi } from 'vitest';
import { Channel, act, api, lookAt, outcome, pass, service, signedIn, tab } from './world.js';

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
  await pass(86_400_000);
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
