import { SessionError } from './errors.js';
import type { EndReason } from './errors.js';
import type { Held } from './held.js';
import { show } from './publish.js';
import { schedule } from './schedule.js';
import type { SessionEvent } from './state.js';
import type { Tab } from './tab.js';
import { now } from './time.js';

/** The error of a call about a session that is not here, or not any more. */
export const over = (): SessionError => new SessionError('session_invalid', 'There is no session.');

/** A session begins here, or goes on with another pair; it is kept before anybody hears of it. */
export async function begin(tab: Tab, h: Held, event: SessionEvent = 'signed_in'): Promise<void> {
  const epoch = ++tab.epoch;
  tab.held = h;
  tab.reported = now();
  await tab.keep.put(h);
  if (epoch !== tab.epoch) return;
  tab.socket?.close();
  tab.siblings.tell({ t: 'changed' });
  show(tab, h.view, event);
  schedule(tab);
}

/** The session is over here, at once; `tell` when siblings do not know. */
export async function end(tab: Tab, reason: EndReason | undefined, tell: boolean): Promise<void> {
  const h = tab.held;
  tab.epoch++;
  tab.held = tab.validated = tab.superseded = undefined;
  tab.timer?.();
  if (h && tell) tab.siblings.tell({ t: 'ended', id: h.view.session_id, reason: reason ?? '' });
  show(tab, null, h ? 'signed_out' : undefined, reason);
  await tab.keep.forget(tell ? undefined : h?.view.session_id);
}
