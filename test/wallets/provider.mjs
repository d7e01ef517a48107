// The window of an identity provider, as far as @icp-sdk/auth speaks with it:
// ICRC-29 to find it, ICRC-34 to get a delegation.
import { DelegationChain } from '@icp-sdk/core/identity';

const b64 = (bytes) => Buffer.from(bytes).toString('base64');

// ofKey answers for a person at a time, with the person's own key.
export const ofKey = (person, now) => async ({ publicKey, maxTimeToLive }) => {
  const der = Buffer.from(publicKey, 'base64');
  const chain = await DelegationChain.create(person, { toDer: () => der }, new Date(now + Number(BigInt(maxTimeToLive) / 1_000_000n)));
  return {
    publicKey: b64(chain.publicKey),
    signerDelegation: chain.delegations.map(({ delegation, signature }) => ({
      delegation: { pubkey: b64(delegation.pubkey), expiration: String(delegation.expiration) }, signature: b64(signature),
    })),
  };
};

// ofCanister answers for a person with what Internet Identity's canister signs,
// at an address of Identities (identities.go).
export const ofCanister = (identities, person) => async ({ publicKey }) =>
  (await fetch(identities, { method: 'POST', body: JSON.stringify({ person, publicKey }) })).json();

// internetIdentityAt is the provider's window; delegate makes its answers.
export function internetIdentityAt(origin, delegate) {
  let opened = 0;
  const methods = { icrc29_status: async () => 'ready', icrc34_delegation: delegate };
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
          const answer = await methods[method](params).then((result) => ({ result }), ({ code, message }) => ({ error: { code, message } }));
          if (!self.closed) opener.dispatchEvent(Object.assign(new Event('message'), { source: self, origin, data: { jsonrpc: '2.0', id, ...answer } }));
        },
      };
      return self;
    },
  };
}
