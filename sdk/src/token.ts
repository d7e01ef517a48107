import { SessionError, endedBy } from './errors.js';
import { left } from './held.js';
import { codeOf } from './http.js';
import { refresh } from './refresh.js';
import type { Tab } from './tab.js';

/** A session token, refreshed if its time is over; null in cookie mode and without a session. */
export async function tokenOf(tab: Tab): Promise<string | null> {
  await tab.ready;
  if (tab.held?.token && left(tab.held) <= 0) await refresh(tab);
  return tab.held?.token ?? null;
}

/** fetch with the session, to known origins only; it refreshes and repeats once when the token's time was over. */
export async function fetchWith(tab: Tab, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const page = (globalThis.location as Location | undefined);
  const request = new Request(input instanceof Request ? input : new URL(input, page?.href ?? tab.base), init);
  const { origin } = new URL(request.url);
  const { origin: own } = new URL(tab.base);
  if (![own, page?.origin, ...(tab.config.origins ?? [])].includes(origin)) {
    throw new SessionError('origin_denied', `${origin} is not in origins.`);
  }
  const send = async () => {
    const copy = request.clone();
    const token = await tokenOf(tab);
    if (token) copy.headers.set('Authorization', `Bearer ${token}`);
    if (tab.cookies && tab.held?.csrf && origin === own) copy.headers.set('Session-CSRF', tab.held.csrf);
    return fetch(copy, token ? { credentials: 'omit' } : origin === own ? { credentials: 'include' } : {});
  };
  const first = await send();
  if (first.status !== 401 || !tab.held) return first;
  const code = await codeOf(first);
  if (code?.code !== 'session_expired' || endedBy(code)) return first;
  await refresh(tab);
  return send();
}
