import { describe, expect, it } from 'vitest';
import type { SessionManager } from '../src/index.js';
import { act, outcome, pass, refusal, service, settle, signedIn } from './world.js';

const state = (m: SessionManager) => m.getSnapshot();

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
