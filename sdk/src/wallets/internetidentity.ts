import { byWallet, walletError } from './errors.js';
import { identity } from './identity.js';
import type { IcpIdentity } from './identity.js';
import type { Wallet } from './wallet.js';

/** The AuthClient of `@icp-sdk/auth`, as far as it is used. */
export interface IdentityClient {
  signIn(options?: { maxTimeToLive?: bigint }): Promise<unknown>;
  signOut?(): Promise<void>;
}

export interface InternetIdentityOptions {
  /** The page's own AuthClient. Unless given, one is made for each sign-in, and leaves nothing in the browser. */
  client?: IdentityClient;
  /** Where the window goes; `https://id.ai/authorize` unless given. */
  identityProvider?: string | URL;
  derivationOrigin?: string | URL;
  openIdProvider?: 'google' | 'apple' | 'microsoft';
  windowOpenerFeatures?: string;
  /** Nanoseconds; 8 hours unless given. The session ends no later. */
  maxTimeToLive?: bigint;
}

export interface InternetIdentity extends Wallet {
  /** Loads the library, which must be there before the click that signs in. It is begun when the wallet is made in a browser. */
  load(): Promise<void>;
}

type Library = new (options: object) => IdentityClient;

/**
 * Internet Identity, by the optional library `@icp-sdk/auth`. Sign in from a
 * click's handler, with nothing awaited before: else the window is blocked.
 */
export function internetIdentity(options: InternetIdentityOptions = {}): InternetIdentity {
  const { client: own, maxTimeToLive, ...rest } = options;
  let library: Library | undefined;
  let loading: Promise<void> | undefined;
  const load = (): Promise<void> => {
    if (own || library) return Promise.resolve();
    loading ??= theLibrary().then((l) => { library = l; }).finally(() => { loading = undefined; });
    return loading;
  };
  if (typeof document !== 'undefined') load().catch(() => undefined); // told at the click

  const open = async (client: IdentityClient): Promise<IcpIdentity> => {
    try {
      return await client.signIn(maxTimeToLive === undefined ? {} : { maxTimeToLive }) as IcpIdentity;
    } catch (e) {
      throw byWindow(e);
    } finally {
      if (client !== own) await client.signOut?.().catch(() => undefined); // the library notes its delegation's end in localStorage
    }
  };
  const connect = (): Promise<IcpIdentity> => {
    if (own) return open(own);
    // Nothing may be awaited here: the window would no longer be the click's.
    if (library) return open(new library({ ...rest, storage: nowhere(), idleOptions: { disableIdle: true } }));
    return load().then(() => { throw walletError('popup_blocked', 'the library was still loading: await load() first, or press again'); });
  };
  return { ...identity(connect, { name: 'Internet Identity' }), source: own ?? theLibrary, load };
}

/** In `try`, so that bundlers do without it where nobody has it. */
async function theLibrary(): Promise<Library> {
  try {
    const { AuthClient } = await import('@icp-sdk/auth/client');
    return AuthClient as Library;
  } catch {
    throw walletError('library_missing', '@icp-sdk/auth 7 and @icp-sdk/core 5');
  }
}

/** A storage that lives as long as the client. */
function nowhere() {
  const kept = new Map<string, unknown>();
  return {
    get: async (key: string) => kept.get(key) ?? null,
    set: async (key: string, value: unknown) => { kept.set(key, value); },
    remove: async (key: string) => { kept.delete(key); },
  };
}

/** What the library says of its window: it has no codes for that. */
function byWindow(e: unknown): Error {
  const message = e instanceof Error ? e.message.slice(0, 200) : '';
  if (/click handler|could not be opened/.test(message)) return walletError('popup_blocked');
  if (/closed|reasonable time/.test(message)) return walletError('popup_closed');
  return byWallet(e);
}
