import { left } from './held.js';
import { listen } from './listeners.js';
import { load } from './load.js';
import { say } from './logout.js';
import type { Tab } from './tab.js';
import { now } from './time.js';
import { due, validate } from './validate.js';

const checkEvery = 60_000; // of a page that is looked at again

/** Looks when the page comes back to somebody or to the network; the answers stop it. */
export function watchPage(tab: Tab): (() => void)[] {
  return [
    listen(document, ['visibilitychange'], () => { if (document.visibilityState === 'visible') look(tab, false); }),
    listen(globalThis, ['online', 'pageshow'], (e) => { if (e.type === 'online' || (e as PageTransitionEvent).persisted) look(tab, true); }),
    listen(globalThis, ['pagehide'], () => { tab.socket?.close(); }), // an open one would keep the page out of the back/forward cache
  ];
}

/** Somebody looks at the page again: timers may have slept, siblings may have gone on. */
export function look(tab: Tab, surely: boolean): void {
  void say(tab);
  const drifted = tab.drifted();
  const h = tab.held;
  if (!h) {
    if (tab.snapshot.status === 'loading') tab.ready = load(tab);
    return;
  }
  tab.socket?.open();
  if (h.lead !== undefined && left(h) <= Math.min(h.lead, h.life / 2)) void due(tab);
  else if (surely || drifted || now() - tab.contact > checkEvery) void validate(tab);
}
