import { follow } from './adopt.js';
import type { Message } from './channel.js';
import { end } from './ending.js';
import { endReason } from './errors.js';
import { load } from './load.js';
import { ask } from './service.js';
import type { Told } from './socket.js';
import type { Tab } from './tab.js';
import { now } from './time.js';

/** A sibling says something. It can sign nobody in, and out only of the session that both have. */
export function hear(tab: Tab, m: Message): void {
  const h = tab.held;
  switch (m.t) {
    case 'step':
      if (h && h.step !== m.step) void follow(tab);
      return;
    case 'changed':
      look(tab);
      return;
    case 'exit':
    case 'ended':
      if (!h || h.view.session_id !== m.id) return;
      void end(tab, m.t === 'exit' ? 'logout' : endReason(m.reason), false);
      if (m.t === 'exit') tab.exits.call();
      return;
    case 'active':
      tab.activity.heard();
      return;
    case 'reported':
      tab.reported = now();
  }
}

/** The server says something on its socket. */
export function told(tab: Tab, m: Told): void {
  const h = tab.held;
  if (!h) return;
  switch (m.event) {
    case 'session.ready':
      if (m.session_id === h.view.session_id) return;
      tab.socket?.close(); // the cookies are another's now: see whose
      look(tab);
      return;
    case 'session.updated':
      look(tab);
      return;
    case 'session.expiring':
      tab.expiries.call({ reason: m.reason, endsIn: m.ends_in });
      return;
    case 'session.ended':
      void end(tab, endReason(m.reason), true);
  }
}

/** What opens the socket beside cookies. */
export async function ticket(tab: Tab): Promise<string | undefined> {
  if (tab.cookies) return undefined;
  return (await ask<{ ticket: string }>(tab, '/sessions/events/ticket', { body: {} })).data.ticket;
}

/** Another session may be here, or the same with other rights. */
function look(tab: Tab): void {
  tab.epoch++;
  tab.ready = load(tab);
}
