import { base64url, bytes, utf8 } from './bytes.js';
import { walletError } from './errors.js';
import { shown } from './shown.js';
import type { Look } from './shown.js';
import type { Account, Signed, Wallet } from './wallet.js';

/** What `@icp-sdk/core` calls a SignIdentity, with or without delegations; also `@dfinity/identity`'s. */
export interface IcpIdentity {
  getPrincipal(): { toText(): string };
  getPublicKey(): { toDer(): Uint8Array | ArrayBuffer };
  sign(blob: Uint8Array<ArrayBuffer>): Promise<Uint8Array | ArrayBuffer>;
  getDelegation?(): {
    publicKey: Uint8Array | ArrayBuffer;
    delegations: { delegation: { pubkey: Uint8Array | ArrayBuffer; expiration: bigint; targets?: unknown }; signature: Uint8Array | ArrayBuffer }[];
  };
}

/**
 * Any Internet Computer identity, or a function that gets one: that of a page
 * that must reauthenticate, for a delegation counts only once.
 */
export function identity(of: IcpIdentity | (() => Promise<IcpIdentity> | IcpIdentity), look: Look = {}): Wallet {
  return {
    ...shown(look, 'Internet Computer'),
    chain: 'icp',
    source: of,
    connect: async () => accountOf(typeof of === 'function' ? await of() : of),
  };
}

const anonymous = '2vxsx-fae';
const longest = 6000; // bytes of one part; all together are bounded by the credential

function accountOf(id: IcpIdentity): Account {
  const address: unknown = id.getPrincipal().toText();
  if (address === anonymous) throw walletError('wallet_locked', 'the identity is anonymous');
  if (typeof address !== 'string' || !/^[a-z2-7]{1,5}(-[a-z2-7]{1,5}){1,12}$/.test(address)) throw walletError('wallet_failed', 'no principal');
  if (typeof id.sign !== 'function') throw walletError('wallet_unsupported');
  return { address, sign: (text) => answer(id, text) };
}

/** Signs the separator of ICRC-32 and the text's digest: no call and no delegation begins like that. */
async function answer(id: IcpIdentity, text: string): Promise<Signed> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text)));
  const signature = base64url(bytes(await id.sign(new Uint8Array([...utf8('\x13ic-signer-challenge'), ...digest])), longest));
  const chain = id.getDelegation?.(); // its publicKey is the account's, not the session key's
  const publicKey = base64url(bytes(chain ? chain.publicKey : id.getPublicKey().toDer(), longest));
  if (!chain) return { type: 'icp:icrc32', signature, publicKey };
  if (chain.delegations.length > 20 || chain.delegations.some((d) => d.delegation.targets !== undefined)) {
    throw walletError('wallet_unsupported', 'a delegation with targets, or more than 20');
  }
  return {
    type: 'icp:icrc32', signature, publicKey,
    delegations: chain.delegations.map((d) => ({
      delegation: { pubkey: base64url(bytes(d.delegation.pubkey, longest)), expiration: String(BigInt(d.delegation.expiration)) },
      signature: base64url(bytes(d.signature, longest)),
    })),
  };
}
