import { SESSION_ERRORS, isSessionError } from './errors.js';
import type { SessionError } from './errors.js';
import type { SessionManager } from './manager.js';
import { backoff, sleep } from './time.js';

/** What a page does about what only a person can mend. */
export interface ErrorActions {
  /** The session is over: show the way to sign in. */
  signIn?: (error: SessionError) => unknown;
  /** The person must prove anew that it is them. */
  reauthenticate?: (error: SessionError) => unknown;
  /** Permissions lack; `missing` names them. */
  upgrade?: (missing: string[], error: SessionError) => unknown;
  /** What to try again after a network failure; a validation unless given. */
  retry?: () => Promise<unknown>;
  /** What nothing here is for. It is thrown unless given. */
  other?: (error: unknown) => unknown;
}

/**
 * Does what an error asks for, once: an expired token is refreshed, a failed
 * call repeated with back-off, and the rest is left to the page's actions.
 */
export async function handleSessionError(error: unknown, manager: SessionManager, actions: ErrorActions = {}): Promise<unknown> {
  const other = () => {
    if (actions.other) return actions.other(error);
    throw error;
  };
  if (!isSessionError(error)) return other();
  switch (error.code) {
    case SESSION_ERRORS.EXPIRED:
      if (error.details.reason && error.details.reason !== 'token_expired') break;
      try {
        return await manager.refreshSession();
      } catch (e) {
        if (isSessionError(e) && e.code === SESSION_ERRORS.EXPIRED) break; // no circles
        return handleSessionError(e, manager, actions);
      }
    case SESSION_ERRORS.INVALID:
    case SESSION_ERRORS.REFRESH_FAILED:
      break;
    case 'reauthentication_required':
      return actions.reauthenticate ? actions.reauthenticate(error) : other();
    case SESSION_ERRORS.PERMISSION_DENIED:
      return actions.upgrade ? actions.upgrade(error.details.missing ?? [], error) : other();
    default:
      return error.retryable ? retryWithBackoff(actions.retry ?? (() => manager.validateSession())) : other();
  }
  await manager.clearSession();
  return actions.signIn ? actions.signIn(error) : other();
}

/** Repeats what fails retryably, with full jitter or as the server asks; the last failure is thrown. */
export async function retryWithBackoff<T>(work: () => Promise<T>, tries = 5): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await work();
    } catch (e) {
      if (!isSessionError(e) || !e.retryable || n >= tries) throw e;
      await sleep(Math.max(backoff(n), e.retryAfter ?? 0));
    }
  }
}
