// Signs in to a server with the libraries that wallets and pages use.
//
//   node wallets.mjs SERVER
//
// SERVER is the API's origin. Each chain is one function: it makes a wallet and
// returns its account, what it signs a text to, and a check that the chain's
// own library reads the text and writes the same one.
import assert from 'node:assert/strict';
import { DelegationChain, DelegationIdentity, ECDSAKeyIdentity, Ed25519KeyIdentity } from '@icp-sdk/core/identity';
import { createSignInMessageText, parseSignInMessageText, verifySignIn } from '@solana/wallet-standard-util';
import bs58 from 'bs58';
import { Wallet, getBytes, verifyMessage } from 'ethers';
import { SiweMessage } from 'siwe';
import nacl from 'tweetnacl';

const [server] = process.argv.slice(2);
const b64 = (bytes) => Buffer.from(bytes).toString('base64url');

function ethereum() {
  const wallet = Wallet.createRandom();
  return {
    chain: 'ethereum',
    address: wallet.address,
    async sign(message) {
      return { type: 'eip191', signature: b64(getBytes(await wallet.signMessage(message))) };
    },
    async check(message, challenge, { signature }) {
      const parsed = new SiweMessage(message);
      assert.equal(parsed.toMessage(), message);
      const { scheme, domain, address, statement, uri, version, chainId, nonce, issuedAt, expirationTime, requestId, resources } = parsed;
      const fields = { domain, address, statement, uri, version, chainId, nonce, issuedAt, expirationTime, requestId, resources };
      assert.equal(new SiweMessage(fields).toMessage(), message, 'from its fields alone');
      assert.equal(scheme, undefined);
      assert.equal(address, wallet.address);
      assert.equal(chainId, 1);
      assert.equal(nonce, challenge.nonce);
      const hex = `0x${Buffer.from(signature, 'base64url').toString('hex')}`;
      const { success } = await parsed.verify({ signature: hex, domain, nonce, time: issuedAt });
      assert.ok(success, 'siwe takes what was signed');
      assert.equal(verifyMessage(message, hex), wallet.address);
    },
  };
}

function solana() {
  const keys = nacl.sign.keyPair();
  const address = bs58.encode(keys.publicKey);
  const sign = (message) => nacl.sign.detached(new TextEncoder().encode(message), keys.secretKey);
  return {
    chain: 'solana',
    address,
    async sign(message) {
      return { type: 'solana:ed25519', signature: b64(sign(message)), publicKey: b64(keys.publicKey) };
    },
    async check(message, challenge) {
      const fields = parseSignInMessageText(message);
      assert.equal(createSignInMessageText(fields), message);
      assert.equal(fields.address, address);
      assert.equal(fields.chainId, 'mainnet');
      assert.equal(fields.nonce, challenge.nonce);
      const output = { account: { address, publicKey: keys.publicKey }, signedMessage: new TextEncoder().encode(message), signature: sign(message) };
      assert.ok(verifySignIn(fields, output), 'the wallet standard takes what was signed');
    },
  };
}

const separator = new TextEncoder().encode('\x13ic-signer-challenge');

// icpOf signs as an identity of @icp-sdk/core.
function icpOf(identity) {
  const chain = identity.getDelegation?.();
  return {
    chain: 'icp',
    field: 'principal',
    address: identity.getPrincipal().toText(),
    async sign(message) {
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(message)));
      return {
        type: 'icp:icrc32',
        signature: b64(await identity.sign(new Uint8Array([...separator, ...digest]))),
        publicKey: b64(chain?.publicKey ?? identity.getPublicKey().toDer()),
        delegations: chain?.delegations.map(({ delegation: { pubkey, expiration, targets }, signature }) => ({
          delegation: { pubkey: b64(pubkey), expiration: String(expiration), targets: targets?.map((t) => b64(t.toUint8Array())) }, signature: b64(signature),
        })),
      };
    },
    async check(message, challenge) {
      assert.ok(message.includes(`\nChain ID: icp:737ba355e855bd4b61279056603e0550\nNonce: ${challenge.nonce}\n`));
    },
  };
}

// icp is a person whose own key signs.
const icp = () => icpOf(Ed25519KeyIdentity.generate());

// delegated is a person for whom a session key signs, as in a page after
// Internet Identity, until an end.
async function delegated(person, end, options) {
  const key = await ECDSAKeyIdentity.generate();
  const chain = await DelegationChain.create(person, key.getPublicKey(), new Date(end), options);
  return icpOf(DelegationIdentity.fromDelegation(key, chain));
}

async function call(method, path, { bearer, body } = {}) {
  const res = await fetch(`${server}/api/auth${path}`, {
    method,
    headers: {
      ...(body && { 'Content-Type': 'application/json' }),
      ...(bearer && { Authorization: `Bearer ${bearer}` }),
    },
    body: body && JSON.stringify(body),
  });
  return { status: res.status, ...(await res.json()) };
}

async function challenge({ chain, address }) {
  const { status, data, error } = await call('POST', '/challenge', { body: { chain, address } });
  assert.equal(status, 200, error?.message);
  return data;
}

const credential = (message, signed) => b64(JSON.stringify({ v: 1, message, ...signed }));

// signsIn goes once around: sign in, be known, sign out.
async function signsIn(wallet) {
  const asked = await challenge(wallet);
  const signed = await wallet.sign(asked.message);
  await wallet.check(asked.message, asked, signed);

  const bearer = credential(asked.message, signed);
  const created = await call('POST', '/sessions', { bearer });
  assert.equal(created.status, 201, created.error?.message);
  const token = created.data.session_token;
  assert.equal((await call('POST', '/sessions', { bearer })).error.code, 'challenge_invalid', 'answered once');

  const valid = await call('GET', '/sessions/validate', { bearer: token });
  assert.equal(valid.data.valid, true);
  assert.equal(valid.data[wallet.field ?? 'address'], wallet.address);

  assert.equal((await call('POST', '/sessions/logout', { bearer: token })).status, 200);
  assert.equal((await call('GET', '/sessions/validate', { bearer: token })).error.code, 'session_invalid');
}

// staysOut signs another text, and the right one as another person.
async function staysOut(wallet, other) {
  const { message } = await challenge(wallet);
  const altered = message.replace('standard session', 'professional session');
  assert.notEqual(altered, message);
  const ours = await call('POST', '/sessions', { bearer: credential(altered, await wallet.sign(altered)) });
  assert.equal(ours.error.code, 'challenge_invalid');
  const theirs = await call('POST', '/sessions', { bearer: credential(message, await other.sign(message)) });
  assert.equal(theirs.error.code, 'credential_invalid');
}

// A delegated key signs without its person: that it signs once more proves
// nothing, only a delegation that the session has not seen does.
async function delegations() {
  const person = Ed25519KeyIdentity.generate();
  const issued = Date.parse((await challenge(icpOf(person))).issued_at); // the server's clock
  const hour = issued + 3_600_000;
  const first = await delegated(person, hour);
  await signsIn(first);
  await staysOut(first, await delegated(Ed25519KeyIdentity.generate(), hour));

  const present = async (wallet) => {
    const { message } = await challenge(wallet);
    return call('POST', '/sessions', { bearer: credential(message, await wallet.sign(message)) });
  };
  const created = await present(first);
  assert.equal(created.status, 201, created.error?.message);
  assert.equal(Date.parse(created.data.session_expires_at), hour, 'no longer than the delegation');
  let token = created.data.session_token;
  const prove = async (wallet) => {
    const asked = await call('POST', '/challenge', { bearer: token, body: { purpose: 'reauthenticate' } });
    assert.equal(asked.status, 200, asked.error?.message);
    return call('POST', '/sessions/reauthenticate', { bearer: token, body: { credential: credential(asked.data.message, await wallet.sign(asked.data.message)) } });
  };
  const second = await delegated(person, hour);
  assert.equal((await prove(first)).error?.code, 'credential_invalid', 'the delegation that signed in');
  const fresh = await prove(second);
  assert.equal(fresh.status, 200, fresh.error?.message);
  const old = await call('GET', '/sessions/validate', { bearer: token });
  assert.equal(old.data.valid, false, 'the earlier token is dead');
  token = fresh.data.session_token;
  for (const seen of [first, second]) assert.equal((await prove(seen)).error?.code, 'credential_invalid', 'seen before');
  assert.equal((await prove(await delegated(Ed25519KeyIdentity.generate(), hour))).error?.code, 'credential_invalid', 'of another person');
  assert.equal((await prove(await delegated(person, hour))).status, 200);

  for (const [what, wallet] of [
    ['over', await delegated(person, issued - 1000)],
    ['with targets', await delegated(person, hour, { targets: [person.getPrincipal()] })],
  ]) {
    assert.equal((await present(wallet)).error?.code, 'credential_invalid', `a delegation ${what}`);
  }
}

for (const chain of [icp, ethereum, solana]) {
  await signsIn(chain());
  await staysOut(chain(), chain());
  console.log(`ok ${chain.name}`);
}
await delegations();
console.log('ok delegations');
