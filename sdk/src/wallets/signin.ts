import type { AuthData } from '../config.js';
import { SessionError } from '../errors.js';
import type { SessionManager } from '../manager.js';
import type { SessionData, SessionType } from '../state.js';
import { base64url, utf8 } from './bytes.js';
import type { Wanted } from './challenge.js';
import { byWallet, later, walletError } from './errors.js';
import type { Wallet } from './wallet.js';

export interface ProofOptions {
  /** The domain that the signed text must name, where `public_url` of the service is not that of `apiUrl`. */
  domain?: string;
  /** Gives up; what the wallet answers later is dropped. Once the credential is on its way it is too late. */
  signal?: AbortSignal;
}

type IdentifiedType = Exclude<SessionType, 'anonymous'>;

export interface CredentialOptions extends ProofOptions {
  /** `signin` unless given. */
  purpose?: Wanted['purpose'];
  /** Of the session to open; `standard` unless given. */
  type?: IdentifiedType;
}

/** As createSession's, without what the wallet gives. */
export interface SignInOptions extends ProofOptions, Omit<AuthData, 'signature' | 'type'> {
  type?: IdentifiedType;
}

/** Asks the wallet's person to sign in, and opens the session. */
export const signIn = (sessions: SessionManager, wallet: Wallet, options: SignInOptions = {}): Promise<SessionData> => {
  const { domain, signal, ...auth } = options;
  return once('signIn', sessions, wallet, signal, async (f) => {
    const signature = await prove(sessions, wallet, { purpose: 'signin', type: auth.type ?? 'standard', domain }, f.stop);
    await f.send();
    return sessions.createSession({ ...auth, signature });
  });
};

/** Asks the wallet's person to prove that it is still them, and renews the session's authentication. */
export const reauthenticate = (sessions: SessionManager, wallet: Wallet, options: ProofOptions = {}): Promise<SessionData> =>
  once('reauthenticate', sessions, wallet, options.signal, async (f) => {
    const session = sessions.getSnapshot().session?.session_id;
    const signature = await prove(sessions, wallet, { purpose: 'reauthenticate', type: typeOf(sessions), domain: options.domain }, f.stop);
    await f.send();
    if (session !== sessions.getSnapshot().session?.session_id) throw walletError('wallet_wrong_account', 'another session began');
    return sessions.reauthenticate({ signature });
  });

/** A credential for `createSession`, `login` or `reauthenticate`, to be used at once and only once. */
export const credential = (sessions: SessionManager, wallet: Wallet, options: CredentialOptions = {}): Promise<{ signature: string }> => {
  const { purpose = 'signin', type, domain, signal } = options;
  return once(`credential ${purpose}`, sessions, wallet, signal, async (f) => ({
    signature: await prove(sessions, wallet, { purpose, type: type ?? (purpose === 'signin' ? 'standard' : typeOf(sessions)), domain }, f.stop),
  }));
};

const typeOf = (sessions: SessionManager): SessionType => sessions.getSnapshot().session?.session_type ?? 'standard';

const patience = 5 * 60_000; // as long as a text may be answered
const longest = 6000; // bytes of a credential: 8,000 characters

/** The wallet's answer to the service's text, as a credential. */
async function prove(sessions: SessionManager, wallet: Wallet, w: Pick<Wanted, 'purpose' | 'type' | 'domain'>, stop: AbortController): Promise<string> {
  if (w.type === 'anonymous') throw new SessionError('invalid_request', 'Anonymous sessions have no wallet.'); // and must not be seen with one
  const { signal } = stop;
  const questions = later(() => import('./challenge.js')); // it loads while the person looks
  const account = await within(signal, () => wallet.connect());
  let unwatch: (() => void) | undefined;
  try {
    unwatch = account.watch?.(() => { stop.abort(walletError('wallet_wrong_account')); });
    const message = await within(signal, async () => (await questions()).challenge(sessions, { ...w, chain: wallet.chain, address: account.address }, signal));
    const signed = await within(signal, () => account.sign(message));
    const text = utf8(JSON.stringify({ v: 1, message, ...signed }));
    if (text.length > longest) throw walletError('wallet_failed', 'its answer is too long');
    return base64url(text);
  } catch (e) {
    throw byWallet(e);
  } finally {
    try { unwatch?.(); } catch { /* the wallet's own affair */ }
  }
}

/** Waits for work, but not for ever, and not beyond an abort. Work is begun before anything is awaited. */
function within<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => { settle(); reject(signal.reason as Error); };
    const timer = setTimeout(() => { settle(); reject(walletError('wallet_timeout')); }, patience);
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    };
    signal.addEventListener('abort', leave);
    if (signal.aborted) { leave(); return; }
    (async () => work())().then(resolve, (e: unknown) => { reject(byWallet(e)); }).finally(settle);
  });
}

/** A question to a person, and who waits for the answer. */
interface Flight {
  readonly kind: string;
  readonly wallet: Wallet;
  readonly stop: AbortController;
  waiting: number;
  sent: boolean;
  /** Waits for an earlier credential that is on its way, and passes the point of no return. */
  send(): Promise<void>;
  readonly answer: Promise<unknown>;
}

const flights = new WeakMap<SessionManager, Flight>();

/**
 * One question at a time. The same wallet asked the same again, as by a double
 * click, is the same question; another one takes the place of the first, whose
 * callers get wallet_replaced.
 */
function once<T>(kind: string, sessions: SessionManager, wallet: Wallet, signal: AbortSignal | undefined, work: (f: Flight) => Promise<T>): Promise<T> {
  if (signal?.aborted) return Promise.reject(signal.reason as Error);
  const before = flights.get(sessions);
  if (before?.kind === kind && (before.wallet.source ?? before.wallet) === (wallet.source ?? wallet)) return wait(before, signal) as Promise<T>;
  let begin: (answer: Promise<T>) => void = () => undefined;
  const f: Flight = {
    kind, wallet, stop: new AbortController(), waiting: 0, sent: false,
    answer: new Promise<T>((resolve) => { begin = resolve; }).finally(() => { if (flights.get(sessions) === f) flights.delete(sessions); }),
    async send() {
      if (before?.sent) await before.answer.catch(() => undefined);
      f.stop.signal.throwIfAborted();
      f.sent = true;
    },
  };
  if (before && !before.sent) before.stop.abort(walletError('wallet_replaced'));
  flights.set(sessions, f);
  const answer = wait(f, signal) as Promise<T>;
  begin(work(f));
  return answer;
}

/** The flight's answer, for one who may leave. When nobody waits any more it is given up. */
function wait(f: Flight, signal: AbortSignal | undefined): Promise<unknown> {
  f.waiting++;
  return new Promise((resolve, reject) => {
    const leave = () => {
      if (f.sent) return;
      reject(signal?.reason as Error);
      if (--f.waiting === 0) f.stop.abort(signal?.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    f.answer.then(resolve, reject).finally(() => { signal?.removeEventListener('abort', leave); });
  });
}
