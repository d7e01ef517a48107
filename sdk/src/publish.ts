import type { EndReason } from './errors.js';
import type { SessionEvent, SessionView } from './state.js';
import type { Tab } from './tab.js';

/** Publishes how things stand, and keeps the socket open for as long as there is a session. */
export function show(tab: Tab, session: SessionView | null, event?: SessionEvent, reason?: EndReason): void {
  if (tab.disposed) return;
  if (!session && tab.held) { tab.changes.call(); return; } // not known yet whose it is
  const { session: before, status, connection } = tab.snapshot;
  if (session !== before || status === 'loading') {
    tab.snapshot = session ? { status: 'authenticated', session, connection } : { status: 'unauthenticated', session, ...(reason && { reason }), connection };
    tab.changes.call();
  }
  if (session) tab.socket?.open();
  else tab.socket?.close();
  if (event) tab.events.call(event, session);
}

/** The held session as pages see it; null while it is not known whose it is. */
export const viewed = ({ held }: Tab): SessionView | null => (held?.view.session_id ? held.view : null);

/** Notes whether the service can be reached, and publishes it: under the lock later, by the next call. */
export function reach(tab: Tab, connection = tab.reached): void {
  tab.reached = connection;
  if (tab.quiet || tab.disposed || tab.snapshot.connection === connection) return;
  tab.snapshot = { ...tab.snapshot, connection };
  tab.changes.call();
  tab.events.call('connection', tab.snapshot.session);
}

/** Work under the lock, during which nobody is called back. */
export async function quietly<T>(tab: Tab, work: () => Promise<T>): Promise<T> {
  tab.quiet = true;
  try {
    return await work();
  } finally {
    tab.quiet = false;
  }
}
