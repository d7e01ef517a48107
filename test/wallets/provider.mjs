// The window of an identity provider, as far as @icp-sdk/auth speaks with it:
// ICRC-29 to find it, ICRC-34 to get a delegation. The person has one key; that
// of Internet Identity is a canister's, which other tests cover.
import { DelegationChain } from '@icp-sdk/core/identity';

const b64 = (bytes) => Buffer.from(bytes).toString('base64');

// internetIdentityAt answers for a person at a time.
export function internetIdentityAt(origin, person, now) {
  let opened = 0;
  const methods = {
    icrc29_status: async () => 'ready',
    async icrc34_delegation({ publicKey, maxTimeToLive }) {
      const der = Buffer.from(publicKey, 'base64');
      const chain = await DelegationChain.create(person, { toDer: () => der }, new Date(now + Number(BigInt(maxTimeToLive) / 1_000_000n)));
      return {
        publicKey: b64(chain.publicKey),
        signerDelegation: chain.delegations.map(({ delegation, signature }) => ({
          delegation: { pubkey: b64(delegation.pubkey), expiration: String(delegation.expiration) }, signature: b64(signature),
        })),
      };
    },
  };
  return {
    url: `${origin}/authorize`,
    opened: () => opened,
    open(url, opener) {
      opened++;
      const self = {
        closed: false,
        close() { self.closed = true; },
        focus() {},
        async postMessage({ id, method, params }) {
          const result = await methods[method](params);
          opener.dispatchEvent(Object.assign(new Event('message'), { source: self, origin, data: { jsonrpc: '2.0', id, result } }));
        },
      };
      return self;
    },
  };
}
