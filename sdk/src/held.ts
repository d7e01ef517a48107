import { foreign } from './http.js';
import type { SessionData, SessionView } from './state.js';
import { now } from './time.js';

/**
 * The pair that a tab holds. `step` names the exchange that gave it: tabs
 * compare it for equality only, so nothing is learnt from it.
 */
export interface Held {
  view: SessionView;
  token?: string | undefined;
  refresh?: string | undefined;
  csrf?: string | undefined;
  step: string;
  /** Steady time at which the token's life was `life` ms. */
  since: number;
  life: number;
  /** Milliseconds before the end at which to refresh; undefined when no refresh moves the end any more. */
  lead: number | undefined;
}

/** Milliseconds that the held token still lives, by its life and the time since. */
export const left = (h: Held): number => h.since + h.life - now();

export const newStep = (): string => crypto.randomUUID();

/** Milliseconds between two of the server's times: no clock of this machine counts. */
export const between = (from: string, to: string): number => Date.parse(to) - Date.parse(from) || 0;

/** Milliseconds to the session's absolute end. */
export const leftOfSession = (h: Held): number => left(h) + between(h.view.expires_at, h.view.session_expires_at);

const texts = ['session_id', 'session_type', 'expires_at', 'idle_expires_at', 'session_expires_at'] as const;

const view = (text: (k: (typeof texts)[number]) => string, permissions: readonly string[]) =>
  Object.freeze({ ...Object.fromEntries(texts.map((k) => [k, text(k)])), permissions: [...permissions] }) as unknown as SessionView;

/** Of a session about which nothing is known yet. */
export const nobody = view(() => '', []);

/** What pages may see of an answer. What cannot be a session's is refused: then it was not the service that answered. */
export function viewOf(d: SessionView): SessionView {
  if (texts.some((k) => typeof d[k] !== 'string') || !Array.isArray(d.permissions) || !Date.parse(d.expires_at)) throw foreign();
  return view((k) => d[k], d.permissions);
}

/** What the server just gave, at a steady time. */
export function take(d: SessionData, at: number): Held {
  const view = viewOf(d);
  if (typeof d.expires_in !== 'number' || !(d.csrf_token ?? (d.session_token && d.refresh_token))) {
    throw foreign();
  }
  return {
    view,
    token: d.session_token,
    refresh: d.refresh_token,
    csrf: d.csrf_token,
    step: newStep(),
    since: at,
    life: Math.max(0, d.expires_in * 1000),
    lead: d.refresh_at ? between(d.refresh_at, d.expires_at) : undefined,
  };
}
