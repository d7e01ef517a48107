import type { SessionType } from './state.js';
import type { TokenStorage } from './storage.js';

export interface SessionConfig {
  /** The service's address with its `/api`, such as `/api` or `https://sessions.example.org/api`. */
  apiUrl: string;
  /** `cookie`: HttpOnly cookies, the default in browsers. `header`: tokens in `storage`. */
  transport?: 'cookie' | 'header';
  /** Where tokens are kept in header mode; SecureStorage unless given. Giving one means header mode. */
  storage?: TokenStorage;
  /** Seconds before a token's end at which it is refreshed; what the server proposes unless given. */
  refreshThreshold?: number;
  /** Milliseconds for which a validation is not asked for again; 5,000 unless given. */
  validationCache?: number;
  /** Further origins that fetch() may send the session token to. */
  origins?: string[];
  /** False: no WebSocket. So it is with a MemoryStorage unless true: handshakes carry the cookies of who is signed in beside, under a name. */
  events?: boolean;
  /** False: somebody else tells about the person, by reportActivity(). */
  trackActivity?: boolean;
}

/** What signs in: a credential, in the specification's word a signature. */
export interface AuthData {
  signature: string;
  type?: SessionType;
  /** Seconds of one token. */
  duration?: number;
  permissions?: string[];
  /** A coarse label of the device, such as "Firefox on Android". */
  deviceLabel?: string;
}

/** The pair of another client, as the specification's stores it. */
export interface StoredPair { session_token: string; refresh_token: string; expires_at: string }
