// What programs may rely on at compile time: built against the packed tarball
// by ../packed.mjs, never run.
import { MemoryStorage, SESSION_ERRORS, SecureStorage, SessionError, SessionManager, SessionMonitor, handleSessionError, isSessionError, retryWithBackoff } from '@mentalverse/session';
import type { AuthData, Connection, EndReason, Expiry, SessionConfig, SessionData, SessionEvent, SessionType, SessionView, Snapshot, TokenStorage, Validation } from '@mentalverse/session';
import { is, same } from './expect.js';

const sessions = new SessionManager({ apiUrl: '/api' });

// The status narrows what is beside it.
function narrows(s: Snapshot): EndReason | undefined {
  same<Snapshot['status'], 'loading' | 'authenticated' | 'unauthenticated'>(true);
  same<Snapshot['connection'], 'ok' | 'lost'>(true);
  switch (s.status) {
    case 'loading':
      same<typeof s.session, null>(true);
      // @ts-expect-error: there is no reason yet
      return s.reason;
    case 'authenticated':
      same<typeof s.session, SessionView>(true);
      // @ts-expect-error: nothing has ended
      return s.reason;
    case 'unauthenticated':
      same<typeof s.session, null>(true);
      return s.reason;
    default:
      return s satisfies never;
  }
}
narrows(sessions.getSnapshot());
same<EndReason, 'expired' | 'revoked' | 'idle' | 'reuse_detected' | 'licence_changed' | 'limit' | 'logout'>(true);
same<SessionType, 'standard' | 'professional' | 'anonymous'>(true);

// A session holds no secret, and nobody writes into it.
function view(v: SessionView): void {
  same<keyof SessionView, 'session_id' | 'session_type' | 'permissions' | 'expires_at' | 'idle_expires_at' | 'session_expires_at'>(true);
  // @ts-expect-error: read only
  v.permissions = [];
  // @ts-expect-error: read only
  v.permissions.push('write:messages');
}
view(await sessions.createSession({ signature: 'credential' }));

// What the specification's methods take and give.
same<Parameters<SessionManager['createSession']>, [auth: AuthData]>(true);
same<ReturnType<SessionManager['createSession']>, Promise<SessionData>>(true);
same<ReturnType<SessionManager['refreshSession']>, Promise<SessionData>>(true);
same<ReturnType<SessionManager['validateSession']>, Promise<Validation>>(true);
same<ReturnType<SessionManager['storeSession']>, Promise<void>>(true);
same<ReturnType<SessionManager['clearSession']>, Promise<void>>(true);
same<ReturnType<SessionManager['logout']>, Promise<boolean>>(true);
same<ReturnType<SessionManager['getToken']>, Promise<string | null>>(true);
same<ReturnType<SessionManager['getStoredSession']>, { token: string | null; refreshToken: string | null; expiresAt: string | null }>(true);
same<Parameters<SessionManager['scheduleRefresh']>, [expiresAt?: string]>(true);
is<typeof globalThis.fetch>(sessions.fetch.bind(sessions));
is<() => () => void>(() => sessions.subscribe(() => undefined));
await sessions.storeSession({ session_token: '', refresh_token: '', expires_at: '' });
sessions.onSessionChange((event, session) => {
  same<typeof event, SessionEvent>(true);
  same<typeof session, SessionView | null>(true);
});
sessions.onExpiring((e) => { same<typeof e, Expiry>(true); });

// @ts-expect-error: nobody signs in without a credential
await sessions.createSession({ type: 'standard' });
// @ts-expect-error: no such type
await sessions.createSession({ signature: 'x', type: 'admin' });
// @ts-expect-error: it must know where the service is
new SessionManager({});
// @ts-expect-error: there are two transports
new SessionManager({ apiUrl: '/api', transport: 'query' });
// @ts-expect-error: the parts of the manager are nobody's
sessions.held;

// A validation tells what is there only when it is good.
const v = await sessions.validateSession();
if (v.valid) {
  same<typeof v.reason, undefined>(true);
  is<number>(v.time_remaining);
  is<string[]>(v.permissions);
} else {
  same<typeof v.reason, string>(true);
  // @ts-expect-error: nothing is left of it
  is<number>(v.time_remaining);
}

// Storages may answer now or later.
is<SessionConfig['storage']>(localStorage);
is<TokenStorage>(new MemoryStorage());
is<TokenStorage>(new SecureStorage());
is<TokenStorage>({ getItem: async () => null, setItem: async () => undefined, removeItem: () => undefined });
// @ts-expect-error: what cannot forget is no storage
is<TokenStorage>({ getItem: () => null, setItem: () => undefined });

// Errors: the specification's codes are literals.
same<typeof SESSION_ERRORS, {
  readonly EXPIRED: 'session_expired';
  readonly INVALID: 'session_invalid';
  readonly REFRESH_FAILED: 'refresh_failed';
  readonly NETWORK_ERROR: 'network_error';
  readonly PERMISSION_DENIED: 'permission_denied';
}>(true);
function failed(e: unknown): void {
  // @ts-expect-error: anything may be thrown
  is<string>(e.code);
  if (!isSessionError(e)) return;
  same<typeof e, SessionError>(true);
  is<Error>(e);
  same<typeof e.code, string>(true);
  same<typeof e.status, number>(true);
  same<typeof e.retryable, boolean>(true);
  same<typeof e.retryAfter, number | undefined>(true);
  is<string[] | undefined>(e.details.missing);
  // @ts-expect-error: nobody changes it
  e.code = 'session_valid';
}
await sessions.logout().catch(failed);
await handleSessionError(new Error(), sessions, {
  upgrade: (missing, error) => { same<typeof missing, string[]>(true); same<typeof error, SessionError>(true); },
  other: (error) => { same<typeof error, unknown>(true); },
});
same<typeof retryWithBackoff<number>, (work: () => Promise<number>, tries?: number) => Promise<number>>(true);

// The monitor.
const monitor = new SessionMonitor(sessions, { exitUrl: null, onWarning: ({ reason }) => { same<typeof reason, 'idle_timeout' | 'session_ended'>(true); } });
same<ReturnType<typeof monitor.extend>, Promise<void>>(true);
is<Connection>('lost');
