import { walletError } from './errors.js';
import { identity } from './identity.js';
import type { IcpIdentity } from './identity.js';
import type { Wallet } from './wallet.js';

interface PlugProvider {
  requestConnect(options: { whitelist: string[]; host?: string }): Promise<unknown>;
  agent?: { _identity?: Promise<IcpIdentity> | IcpIdentity | null };
}

export const plugIn = (): PlugProvider | undefined => (globalThis as { ic?: { plug?: PlugProvider } }).ic?.plug;

/**
 * The Plug extension, `window.ic.plug`, by the identity of its agent. A version
 * of Plug that signs nothing but calls is wallet_unsupported. `host` is the
 * network that Plug connects to, the mainnet unless given; no canister is
 * called.
 */
export function plug(options: { host?: string } = {}): Wallet {
  const connect = async () => {
    const provider = plugIn();
    if (typeof provider?.requestConnect !== 'function') throw walletError('wallet_not_found');
    await provider.requestConnect({ whitelist: [], ...options });
    const id = await provider.agent?._identity;
    if (!id) throw walletError('wallet_unsupported', 'no identity');
    return id;
  };
  return { ...identity(connect, { name: 'Plug' }), source: plugIn };
}
