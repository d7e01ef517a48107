import type { SessionError } from './errors.js';
import { between, left } from './held.js';
import type { Tab } from './tab.js';
import { after, backoff } from './time.js';

/** Sets the timer of the next refresh; an end moves it by as much as it differs from the token's. */
export function schedule(tab: Tab, expiresAt?: string): void {
  const h = tab.held;
  tab.timer?.();
  if (!h || tab.disposed) return;
  const shift = expiresAt ? between(h.view.expires_at, expiresAt) : 0;
  const lead = h.lead === undefined ? 0 : Math.min((tab.config.refreshThreshold ?? h.lead / 1000) * 1000, h.life / 2);
  tab.timer = after(Math.max(left(h) + shift - lead, 250 + Math.random() * 750), tab.due);
}

/** What failed is tried again by itself, as long as nobody knows that the session is over. */
export function later(tab: Tab, e: unknown): void {
  tab.timer?.();
  if (tab.disposed || (!tab.held && tab.snapshot.status !== 'loading')) return;
  tab.timer = after(((e as Partial<SessionError>).retryAfter ?? 0) + 500 + backoff(++tab.failures), tab.again);
}
