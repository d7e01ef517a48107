import { SessionError, isSessionError, networkError } from '../errors.js';

/** What may go wrong with a wallet: the codes of the SessionErrors of this module. */
export const WALLET_ERRORS = {
  /** The person said no. */
  REJECTED: 'wallet_rejected',
  NOT_FOUND: 'wallet_not_found',
  /** Locked, or it shows this page no account. */
  LOCKED: 'wallet_locked',
  /** It asks the person something already. */
  BUSY: 'wallet_busy',
  /** It cannot sign such a text. */
  UNSUPPORTED: 'wallet_unsupported',
  WRONG_CHAIN: 'wallet_wrong_chain',
  /** Another account was chosen meanwhile, or it is not the session's. */
  WRONG_ACCOUNT: 'wallet_wrong_account',
  /** It failed, or answered what no wallet should. */
  FAILED: 'wallet_failed',
  /** It was silent until what it was asked was no longer good. */
  TIMEOUT: 'wallet_timeout',
  /** The person chose another wallet meanwhile. */
  REPLACED: 'wallet_replaced',
  POPUP_BLOCKED: 'popup_blocked',
  POPUP_CLOSED: 'popup_closed',
  /** An optional library is not installed, or could not be loaded. */
  LIBRARY_MISSING: 'library_missing',
  /** The service asked for a signature under something that is not its own sign-in. Nothing was signed. */
  CHALLENGE_UNTRUSTED: 'challenge_untrusted',
} as const;

export type WalletErrorCode = (typeof WALLET_ERRORS)[keyof typeof WALLET_ERRORS];

const texts: Record<WalletErrorCode, string> = {
  wallet_rejected: 'Declined in the wallet.',
  wallet_not_found: 'There is no such wallet in this browser.',
  wallet_locked: 'The wallet gave no account: unlock it, and choose one for this page.',
  wallet_busy: 'The wallet is asking something already: answer there.',
  wallet_unsupported: 'This wallet or account cannot sign in.',
  wallet_wrong_chain: 'The wallet is not on a network that can sign in.',
  wallet_wrong_account: 'The wallet is on another account.',
  wallet_failed: 'The wallet failed.',
  wallet_timeout: 'The wallet took too long.',
  wallet_replaced: 'Another wallet was chosen.',
  popup_blocked: 'The window could not be opened.',
  popup_closed: 'The window was closed.',
  library_missing: 'A library could not be loaded.',
  challenge_untrusted: 'The service asked to sign what is not its sign-in.',
};

/**
 * An error of this module. What the wallet said is not in it, for it may name
 * the person's account; `reason` is for a developer, and becomes details.reason.
 */
export const walletError = (code: WalletErrorCode, reason?: string): SessionError =>
  new SessionError(code, texts[code], { details: reason === undefined ? {} : { reason } });

// EIP-1193 and EIP-1474, ethers, ICRC-25.
const codes: Record<string, WalletErrorCode> = {
  4001: 'wallet_rejected', ACTION_REJECTED: 'wallet_rejected', 3000: 'wallet_rejected', 3001: 'wallet_rejected',
  4100: 'wallet_locked',
  '-32002': 'wallet_busy',
  4200: 'wallet_unsupported', '-32601': 'wallet_unsupported', 2000: 'wallet_unsupported',
  4900: 'wallet_wrong_chain', 4901: 'wallet_wrong_chain',
};

/** Reads what a wallet threw, which may be anything: also what looks like an error of the service. */
export function byWallet(e: unknown): SessionError {
  if (e instanceof SessionError) return e;
  try {
    const { code, cause, name, message } = e as Record<string, unknown>;
    const told = [code, (cause as { code?: unknown } | undefined)?.code].filter((c) => ['number', 'string'].includes(typeof c)).map(String);
    for (const c of told) if (Object.hasOwn(codes, c)) return walletError(codes[c] as WalletErrorCode, c);
    const words = `${String(name)} ${String(message)}`.slice(0, 500);
    if (/reject|declin|cancel|denied/i.test(words)) return walletError('wallet_rejected');
    if (/^WalletNotReady/.test(words)) return walletError('wallet_not_found'); // of Solana's adapters
    return walletError('wallet_failed', /^[\w-]{1,30}$/.exec(told[0] ?? String(name))?.[0]);
  } catch {
    return walletError('wallet_failed');
  }
}

/** A part of this package that begins to load now; what it gives waits, and fails as a lost network does. */
export function later<T>(load: () => Promise<T>): () => Promise<T> {
  const loading = load().catch((e: unknown) => networkError('A part of the page could not be loaded.', { cause: e }));
  return async () => {
    const part = await loading;
    if (isSessionError(part)) throw part;
    return part;
  };
}
