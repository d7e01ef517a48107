// Signs in by the browser's client, as it is published, with the libraries that
// wallets are made of.
//
//   node sdk.mjs SERVER ORIGIN IDENTITIES
//
// SERVER is the API's address, ORIGIN what its texts name, IDENTITIES the
// address of Internet Identity's canister (identities.go). The server's clock
// need not be this machine's.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DelegationChain, DelegationIdentity, ECDSAKeyIdentity, Ed25519KeyIdentity } from '@icp-sdk/core/identity';
import { Secp256k1KeyIdentity } from '@icp-sdk/core/identity/secp256k1';
import { StandardWalletAdapter } from '@solana/wallet-standard-wallet-adapter-base';
import { registerWallet } from '@wallet-standard/wallet';
import { BrowserProvider, Wallet, getAddress, getBytes, hexlify, randomBytes } from 'ethers';
import { browser } from './browser.mjs';
import { build, folder } from './built.mjs';
import { internetIdentityAt, ofCanister } from './provider.mjs';
import { standardWallet } from './standard.mjs';

const [server, origin, identities] = process.argv.slice(2);
const dir = folder();
const home = build(dir);
writeFileSync(join(dir, 'page.mjs'), `
  export * as core from '@mentalverse/session';
  export * as wallets from '@mentalverse/session/wallets';`);
const { core, wallets } = await import(pathToFileURL(join(dir, 'page.mjs')));
const { checksum } = await import(pathToFileURL(join(home, 'dist/wallets/eip55.js')));

// A client without a page: header mode. It calls the server where it is, and
// the texts name where people think it is.
const manager = () => new core.SessionManager({ apiUrl: `${server}/api`, storage: new core.MemoryStorage(), events: false });
const domain = new URL(origin).host;
let told = 0;
function ok(what) { told++; console.log(`ok - ${what}`); }

const code = (wanted) => (e) => { assert.equal(e.code, wanted, `${e.code}: ${e.message} ${e.details?.reason}`); return true; };

// works signs in and reauthenticates; again makes the wallet anew for it.
async function works(what, address, wallet, { again = wallet, click = (f) => f() } = {}) {
  const sessions = manager();
  await click(() => wallets.signIn(sessions, wallet, { domain }));
  const seen = await sessions.validateSession();
  assert.equal(seen.valid, true);
  assert.equal(seen.principal ?? seen.address, address);
  const before = await sessions.getToken();
  await click(() => wallets.reauthenticate(sessions, again, { domain }));
  assert.notEqual(await sessions.getToken(), before);
  assert.equal((await sessions.validateSession()).valid, true);
  const proof = await click(() => wallets.credential(sessions, wallet, { domain }));
  assert.equal((await sessions.createSession(proof)).session_type, 'standard');
  await assert.rejects(sessions.createSession(proof), code('challenge_invalid'));
  await assert.rejects(click(() => wallets.signIn(sessions, wallet)), code('challenge_untrusted'));
  sessions.dispose();
  ok(what);
}

// --- Ethereum ---

const ethereum = (key, { as = (a) => a.toLowerCase(), ...answers } = {}) => ({
  async request({ method, params }) {
    switch (method) {
      case 'eth_requestAccounts': case 'eth_accounts': return [as(key.address)];
      case 'eth_chainId': return '0x89'; // whatever network it is on
      case 'personal_sign': return (answers.key ?? key).signMessage(getBytes(params[0]));
      default: throw Object.assign(new Error(method), { code: 4200 });
    }
  },
});

{
  for (let i = 0; i < 300; i++) {
    const address = hexlify(randomBytes(20));
    assert.equal(checksum(address), getAddress(address));
  }
  ok('300 addresses are spelled as ethers spells them');

  const key = Wallet.createRandom();
  await works('an Ethereum wallet that spells in lower case', key.address, wallets.ethereum(ethereum(key)));
  await works('an Ethereum wallet that spells by EIP-55', key.address, wallets.ethereum(ethereum(key, { as: (a) => a })));
  const library = new BrowserProvider(ethereum(key)); // a provider that a library wraps
  await works("a library's provider", key.address, wallets.ethereum({ request: ({ method, params }) => library.send(method, params ?? []) }));
  await assert.rejects(wallets.signIn(manager(), wallets.ethereum(ethereum(key, { key: Wallet.createRandom() })), { domain }), (e) => code('credential_invalid')(e) && /Contract wallets/.test(e.message));
  ok("another key's signature is refused, with the service's reason");
}

// --- Solana ---

{
  const window = browser();
  const { account, wallet } = standardWallet();
  registerWallet(wallet);
  const found = wallets.discover();
  const stop = found.subscribe(() => {});
  window.addEventListener('eip6963:requestProvider', () => {});
  window.dispatchEvent(Object.assign(new Event('eip6963:announceProvider'), { detail: { info: { uuid: '1', name: 'Announced', icon: '', rdns: 'x.y' }, provider: ethereum(Wallet.createRandom()) } }));
  assert.deepEqual(found.getSnapshot().map((w) => [w.name, w.chain]), [['Ours', 'solana'], ['Announced', 'ethereum']]);
  const [solana] = found.getSnapshot();
  stop();
  const adapter = new StandardWalletAdapter({ wallet }); // which looks for a page
  delete globalThis.document; // a client without one
  await works('a wallet that @wallet-standard/wallet registers', account.address, solana);
  await works("the Solana foundation's adapter", account.address, wallets.solana(adapter));
}

// --- the Internet Computer ---

{
  const at = Date.parse((await (await fetch(`${server}/api/auth/challenge`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ chain: 'icp', address: Ed25519KeyIdentity.generate().getPrincipal().toText() }),
  })).json()).data.issued_at);
  const person = Ed25519KeyIdentity.generate();
  await works('an Ed25519 identity', person.getPrincipal().toText(), wallets.identity(person));
  const k1 = Secp256k1KeyIdentity.generate();
  await works('a secp256k1 identity', k1.getPrincipal().toText(), wallets.identity(k1));
  const delegated = async () => {
    const key = await ECDSAKeyIdentity.generate();
    return DelegationIdentity.fromDelegation(key, await DelegationChain.create(person, key.getPublicKey(), new Date(at + 3_600_000)));
  };
  await works('a delegated P-256 session key, a new one for each proof', person.getPrincipal().toText(), wallets.identity(delegated));
  globalThis.ic = { plug: { requestConnect: async () => {}, agent: { _identity: Promise.resolve(k1) } } };
  await works('the identity of an agent, as of Plug', k1.getPrincipal().toText(), wallets.plug());

  const provider = internetIdentityAt('https://id.example', ofCanister(identities, 'ada'));
  const window = browser(); // which the library looks for when it is loaded
  window.opens = provider.open;
  const wallet = wallets.internetIdentity({ identityProvider: provider.url });
  await wallet.load();
  delete globalThis.document;
  const click = (f) => window.click(f);
  await assert.rejects(wallets.signIn(manager(), wallet, { domain }), code('popup_blocked'));
  const { publicKey } = await ofCanister(identities, 'ada')({ publicKey: Buffer.from(person.getPublicKey().toDer()).toString('base64') });
  const { Principal } = await import('@icp-sdk/core/principal');
  const ada = Principal.selfAuthenticating(new Uint8Array(Buffer.from(publicKey, 'base64'))).toText();
  await works('Internet Identity by its library, with what its canister signs, a window for each proof', ada, wallet, { click });
  assert.equal(provider.opened(), 4);
  assert.equal(localStorage.getItem('ic-delegation_expiration'), null, 'the library notes an end');
  ok('and nothing of it is left');

  const declining = internetIdentityAt('https://id.example', async () => { throw { code: 3001, message: 'Action aborted' }; });
  window.opens = declining.open;
  await assert.rejects(click(() => wallets.signIn(manager(), wallet, { domain })), code('wallet_rejected'));
  window.opens = () => null;
  await assert.rejects(click(() => wallets.signIn(manager(), wallet, { domain })), code('popup_blocked'));
  const closing = internetIdentityAt('https://id.example', async () => new Promise(() => {}));
  let closed;
  window.opens = (...args) => { closed = closing.open(...args); const post = closed.postMessage; closed.postMessage = (m) => { post(m); if (m.method === 'icrc34_delegation') closed.closed = true; }; return closed; };
  await assert.rejects(click(() => wallets.signIn(manager(), wallet, { domain })), code('popup_closed'));
  ok('the refusals of Internet Identity');
}

console.log(`${told} passed, 0 failed`);
process.exit(0);
