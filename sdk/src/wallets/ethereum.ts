import { base64url, utf8 } from './bytes.js';
import { later, walletError } from './errors.js';
import { shown } from './shown.js';
import type { Look } from './shown.js';
import type { Signed, Wallet } from './wallet.js';

/** A provider of EIP-1193: `window.ethereum`, what EIP-6963 announces, a viem transport, WalletConnect's. */
export interface EthereumProvider {
  request(call: { method: string; params?: unknown }): Promise<unknown>;
  on?(event: 'accountsChanged', listener: (accounts: string[]) => void): unknown;
  removeListener?(event: 'accountsChanged', listener: (accounts: string[]) => void): unknown;
}

/** An Ethereum wallet. Its account must be a key: the service knows no contract accounts. */
export function ethereum(provider: EthereumProvider | null | undefined, look: Look = {}): Wallet {
  return {
    ...shown(look, 'Browser wallet'),
    chain: 'ethereum',
    source: provider,
    async connect() {
      if (typeof provider?.request !== 'function') throw walletError('wallet_not_found');
      const spelling = later(() => import('./eip55.js'));
      const account = first(await provider.request({ method: 'eth_requestAccounts' }));
      return {
        address: (await spelling()).checksum(account),
        sign: async (text) => signature(await provider.request({ method: 'personal_sign', params: [hex(utf8(text)), account] })),
        watch(gone) {
          const changed = (accounts: unknown) => {
            if (String((accounts as unknown[] | undefined)?.[0]).toLowerCase() !== account.toLowerCase()) gone();
          };
          provider.on?.('accountsChanged', changed);
          return () => { provider.removeListener?.('accountsChanged', changed); };
        },
      };
    },
  };
}

function first(accounts: unknown): string {
  const account: unknown = Array.isArray(accounts) ? accounts[0] : accounts;
  if (account === undefined || account === null) throw walletError('wallet_locked');
  if (typeof account !== 'string' || !/^0x[0-9a-f]{40}$/i.test(account)) throw walletError('wallet_failed', 'no address');
  return account;
}

/** r, s and v in 65 bytes; contracts give more. */
function signature(given: unknown): Signed {
  if (typeof given !== 'string' || !/^0x([0-9a-f]{2}){65}$/i.test(given)) {
    throw typeof given === 'string' && /^0x[0-9a-f]{132}/i.test(given) ? walletError('wallet_unsupported', 'a contract account') : walletError('wallet_failed', 'no signature');
  }
  return { type: 'eip191', signature: base64url(Uint8Array.from(given.slice(2).match(/../g) ?? [], (pair) => parseInt(pair, 16))) };
}

const hex = (b: Uint8Array) => '0x' + Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');
