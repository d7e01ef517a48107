import { SessionError } from './errors.js';
import { call } from './http.js';
import type { Answer, Call } from './http.js';
import { reach } from './publish.js';
import type { Tab } from './tab.js';
import { now } from './time.js';

/**
 * Asks the service with what the tab holds. `explicit` is what a person wants
 * and goes out even while the service asked not to be called; a `refresh` proves
 * itself by what it sends.
 */
export async function ask<T>(tab: Tab, path: string, c: Call = {}, kind?: 'explicit' | 'refresh'): Promise<Answer<T>> {
  const { held, blocked, cookies } = tab;
  if (kind !== 'explicit' && blocked && now() < blocked.until) throw blocked.by;
  const headers: Record<string, string> = { ...c.headers };
  if (cookies && c.body && held?.csrf) headers['Session-CSRF'] = held.csrf;
  if (!cookies && held?.token && kind !== 'refresh') headers['Authorization'] ??= `Bearer ${held.token}`;
  try {
    const answer = await call<T>(tab.base + path, { ...c, headers, cookies });
    heard(tab);
    return answer;
  } catch (e) {
    if (e instanceof SessionError) {
      if (e.status) heard(tab);
      else reach(tab, 'lost');
      if (e.retryAfter && e.retryable) tab.blocked = { until: now() + e.retryAfter, by: e };
    }
    throw e;
  }
}

function heard(tab: Tab): void {
  tab.contact = now();
  tab.blocked = undefined;
  reach(tab, 'ok');
}
