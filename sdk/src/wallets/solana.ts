import { base64url, bytes, same, utf8 } from './bytes.js';
import { walletError } from './errors.js';
import { shown } from './shown.js';
import type { Look } from './shown.js';
import type { Account, Signed, Wallet } from './wallet.js';

/** A wallet of the Wallet Standard, as far as it matters here. */
export interface StandardWallet {
  readonly name: string;
  readonly icon?: string;
  readonly chains: readonly string[];
  readonly features: Readonly<Record<string, unknown>>;
}

/** A wallet adapter, or what wallets put into `window.solana` from before the standard. */
export interface SolanaAdapter {
  readonly name?: string;
  readonly icon?: string;
  readonly publicKey?: { toString(): string } | null;
  connect?(): Promise<unknown>;
  signMessage?(message: Uint8Array): Promise<unknown>;
}

interface Features {
  'standard:connect': { connect(): Promise<{ accounts: readonly StandardAccount[] }> };
  'standard:events'?: { on(event: 'change', listener: (change: { accounts?: readonly StandardAccount[] }) => void): () => void };
  'solana:signMessage': { signMessage(input: { account: StandardAccount; message: Uint8Array }): Promise<readonly { signedMessage: Uint8Array; signature: Uint8Array }[]> };
}

interface StandardAccount { readonly address: string; readonly chains: readonly string[]; readonly features: readonly string[] }

const chained = (it: { readonly chains: readonly string[] }) => it.chains.some((c) => c.startsWith('solana:'));

/** Whether a wallet of the Wallet Standard can sign a text on Solana. */
export const signsOnSolana = (w: StandardWallet): boolean => chained(w) && !!w.features['standard:connect'] && !!w.features['solana:signMessage'];

/** A Solana wallet. */
export function solana(wallet: StandardWallet | SolanaAdapter | null | undefined, look: Look = {}): Wallet {
  return {
    ...shown({ name: look.name ?? wallet?.name, icon: look.icon ?? wallet?.icon }, 'Browser wallet'),
    chain: 'solana',
    source: wallet,
    async connect() {
      if (!wallet) throw walletError('wallet_not_found');
      return 'features' in wallet ? standard(wallet) : adapted(wallet);
    },
  };
}

async function standard(wallet: StandardWallet): Promise<Account> {
  if (!signsOnSolana(wallet)) throw walletError('wallet_unsupported');
  const features = wallet.features as unknown as Features;
  const { accounts } = await features['standard:connect'].connect();
  const account = accounts.find((a) => a.features.includes('solana:signMessage') && chained(a));
  if (!account) throw walletError(accounts.length ? 'wallet_wrong_chain' : 'wallet_locked');
  const { address } = account;
  return {
    address: spelled(address),
    async sign(text) {
      const message = utf8(text);
      const [out] = await features['solana:signMessage'].signMessage({ account, message: message.slice() });
      if (!out || !same(bytes(out.signedMessage, 8192), message)) throw walletError('wallet_unsupported', 'it changed the text');
      return signature(out.signature);
    },
    watch: (gone) => features['standard:events']?.on('change', ({ accounts: now }) => {
      if (now && !now.some((a) => a.address === address)) gone();
    }) ?? (() => undefined),
  };
}

async function adapted(wallet: SolanaAdapter): Promise<Account> {
  const told = wallet.publicKey ? undefined : await wallet.connect?.();
  if (typeof wallet.signMessage !== 'function') throw walletError('wallet_unsupported'); // some adapters have it only now
  const key = wallet.publicKey ?? (told as SolanaAdapter | undefined)?.publicKey;
  if (!key) throw walletError('wallet_locked');
  const address = spelled(key.toString());
  return {
    address,
    async sign(text) {
      const out = await wallet.signMessage?.(utf8(text));
      if (wallet.publicKey && wallet.publicKey.toString() !== address) throw walletError('wallet_wrong_account');
      return signature((out as { signature?: unknown } | undefined)?.signature ?? out);
    },
  };
}

function spelled(address: unknown): string {
  if (typeof address !== 'string' || !/^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(address)) throw walletError('wallet_failed', 'no address');
  return address;
}

function signature(given: unknown): Signed {
  const b = bytes(given, 64);
  if (b.length !== 64) throw walletError('wallet_failed', 'no signature');
  return { type: 'solana:ed25519', signature: base64url(b) };
}
