/** The specification's codes, as a server or this client gives them. */
export const SESSION_ERRORS = {
  EXPIRED: 'session_expired',
  INVALID: 'session_invalid',
  REFRESH_FAILED: 'refresh_failed',
  NETWORK_ERROR: 'network_error',
  PERMISSION_DENIED: 'permission_denied',
} as const;

/** What an envelope's error may tell beside its code. */
export interface ErrorDetails {
  reason?: string;
  missing?: string[];
  max_age?: number;
  csrf_token?: string;
}

interface Facts {
  status?: number;
  details?: ErrorDetails | undefined;
  retryAfter?: number | undefined;
  cause?: unknown;
}

/**
 * A refusal, or a failure to reach the service. `status` is the HTTP status, 0
 * where no genuine answer came; `retryAfter` is in milliseconds. A message never
 * holds a secret.
 */
export class SessionError extends Error {
  override readonly name = 'SessionError';
  readonly code: string;
  readonly status: number;
  readonly details: ErrorDetails;
  readonly retryAfter: number | undefined;

  constructor(code: string, message: string, facts: Facts = {}) {
    super(message, facts);
    this.code = code;
    this.status = facts.status ?? 0;
    this.details = facts.details ?? {};
    this.retryAfter = facts.retryAfter;
  }

  /** Whether the same call may succeed later: nothing has ended. */
  get retryable(): boolean {
    return ['network_error', 'unavailable', 'rate_limited', 'refresh_superseded'].includes(this.code);
  }
}

/** Also true for errors of another copy of this package. */
export function isSessionError(e: unknown): e is SessionError {
  return e instanceof Error && e.name === 'SessionError' && 'code' in e && 'retryable' in e;
}

/** The error of a call that got no genuine answer. */
export const networkError = (message: string, facts?: Facts): SessionError => new SessionError('network_error', message, facts);

export type EndReason = 'expired' | 'revoked' | 'idle' | 'reuse_detected' | 'licence_changed' | 'limit' | 'logout';

const reasons: EndReason[] = ['expired', 'idle', 'reuse_detected', 'licence_changed', 'limit', 'logout'];
const servers = new Map<unknown, EndReason>([['idle_timeout', 'idle'], ['session_ended', 'expired'], ['refresh_reuse', 'reuse_detected']]);

/** The reason of an end that the server told, or a sibling. */
export const endReason = (told: unknown): EndReason => servers.get(told) ?? reasons.find((r) => r === told) ?? 'revoked';

/**
 * Why the error means that the session is over; undefined when it does not.
 * Only a genuine refusal ends one: an error without a status never does.
 */
export function endedBy(e: unknown): EndReason | undefined {
  if (!(e instanceof SessionError) || e.status !== 401) return undefined;
  const { code, details: { reason } } = e;
  if (code === 'session_expired') return !reason || reason === 'token_expired' ? undefined : endReason(reason);
  return code === 'session_invalid' ? 'revoked' : code === 'refresh_failed' ? 'expired' : undefined;
}
