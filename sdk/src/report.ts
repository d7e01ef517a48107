import { SessionError } from './errors.js';
import { ask } from './service.js';
import type { SessionView } from './state.js';
import type { Tab } from './tab.js';
import { now } from './time.js';
import { due, endIf } from './validate.js';

const every = 60_000; // the server writes no finer
const again = 10_000; // after a failure

/** Tells the server of a person that was just here, at most once a minute by all tabs. */
export function reportIfDue(tab: Tab): void {
  if (tab.held && tab.activity.idle < 1000 && now() - tab.reported >= every) void report(tab).catch(() => undefined);
}

/** Tells the server that the person is here. */
export async function report(tab: Tab): Promise<void> {
  const { epoch } = tab;
  const step = tab.held?.step;
  if (step === undefined) return;
  tab.reported = now();
  try {
    const { data } = await ask<Pick<SessionView, 'idle_expires_at'>>(tab, '/sessions/activity', { body: {} });
    tab.siblings.tell({ t: 'reported' });
    if (tab.held && epoch === tab.epoch && typeof data.idle_expires_at === 'string') {
      tab.held = { ...tab.held, view: { ...tab.held.view, idle_expires_at: data.idle_expires_at } };
    }
  } catch (e) {
    tab.reported = now() - every + again;
    if (!(await endIf(tab, e, epoch, step)) && e instanceof SessionError && e.code === 'session_expired') await due(tab);
    throw e;
  }
}
