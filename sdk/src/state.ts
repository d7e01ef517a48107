import type { EndReason } from './errors.js';
import type { components } from './openapi.js';

type Wire = components['schemas'];

export type SessionType = Wire['SessionType'];

/** What the server tells of a session, without secrets. Times are its clock's (RFC 3339). */
export interface SessionView {
  readonly session_id: string;
  readonly session_type: SessionType;
  readonly permissions: readonly string[];
  readonly expires_at: string;
  readonly idle_expires_at: string;
  readonly session_expires_at: string;
}

/**
 * How things stand. `connection` is `lost` while the service cannot be reached,
 * which ends nothing. `loading` lasts until the server was heard once, or until
 * what this browser keeps tells who is here.
 */
export type Snapshot =
  | { readonly status: 'loading'; readonly session: null; readonly connection: Connection }
  | { readonly status: 'authenticated'; readonly session: SessionView; readonly connection: Connection }
  | { readonly status: 'unauthenticated'; readonly session: null; readonly reason?: EndReason; readonly connection: Connection };

export type Connection = 'ok' | 'lost';

/** What the server answers when it opens or refreshes a session. The tokens are there in header mode only. */
export interface SessionData extends SessionView {
  session_token?: string;
  refresh_token?: string;
  csrf_token?: string;
  expires_in: number;
  refresh_at: string | null;
}

/** An answer of validateSession. `reason` is an error's code, or `no_token`. */
export type Validation =
  | (Wire['Validation'] & { reason?: undefined })
  | { valid: false; reason: string };

/** What happens to a session, as onSessionChange tells it. */
export type SessionEvent = 'signed_in' | 'refreshed' | 'updated' | 'signed_out' | 'connection';

/** An end that is near; `endsIn` is in seconds. */
export interface Expiry {
  reason: 'idle_timeout' | 'session_ended';
  endsIn: number;
}
