// Runs the blocks of docs/wallets.md as they stand there, with the libraries
// they name.
//
//   node docs.mjs SERVER
//
// SERVER is the API's origin. Its clock need not be this machine's.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DelegationChain, DelegationIdentity, ECDSAKeyIdentity, Ed25519KeyIdentity } from '@icp-sdk/core/identity';
import { Secp256k1KeyIdentity } from '@icp-sdk/core/identity/secp256k1';
import { Wallet, getBytes } from 'ethers';
import { browser } from './browser.mjs';
import { build, folder } from './built.mjs';
import { internetIdentityAt, ofKey } from './provider.mjs';
import { standardWallet } from './standard.mjs';

const [server] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const page = readFileSync(join(here, '../../docs/wallets.md'), 'utf8');

// The blocks become files beside each other, where the libraries are found, and
// what they call reaches this server.
const dir = folder();
build(dir);
const reach = globalThis.fetch;
globalThis.fetch = (what, init) => {
  const request = new Request(what, init);
  return reach(new Request(request.url.replace('https://sessions.example.org', server), request));
};
writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
const ran = new Set();
const blocks = new Map([...page.matchAll(/^```js\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [name, text]));
assert.equal(blocks.size, page.match(/^```js$/gm).length, 'each block names its file');
for (const [name, text] of blocks) writeFileSync(join(dir, name), text);

function block(name) {
  ran.add(name);
  return import(pathToFileURL(join(dir, name)));
}

const window = browser(); // before libraries that look for one
const { signIn, reauthenticate, call } = await block('session.js');

async function known(token) {
  const res = await fetch(`${server}/api/auth/sessions/validate`, { headers: { Authorization: `Bearer ${token}` } });
  return (await res.json()).data;
}

// works signs in and reauthenticates; again makes the wallet anew for it.
async function works(what, wallet, again = async () => wallet) {
  const tokens = await signIn(wallet, { activity: 'reported' });
  const seen = await known(tokens.session_token);
  assert.equal(seen.valid, true);
  assert.equal(seen.principal ?? seen.address, wallet.address);
  const fresh = await reauthenticate(await again(), tokens.session_token);
  assert.equal((await known(tokens.session_token)).valid, false, 'the earlier tokens are dead');
  assert.equal((await known(fresh.session_token)).valid, true);
  console.log(`ok - ${what}`);
  return tokens;
}

const refused = (promise, code, text = /./) => assert.rejects(promise, (e) => {
  assert.equal(e.code, code, e.message);
  assert.match(e.message, text);
  return true;
});

// The server's clock: that of its challenges.
async function now() {
  const { issued_at } = await call('/challenge', { chain: 'icp', address: Ed25519KeyIdentity.generate().getPrincipal().toText() });
  return Date.parse(issued_at);
}
const hour = 3_600_000;

// --- the Internet Computer ---

{
  const { internetComputer } = await block('internet-computer.js');
  await works('an Ed25519 identity, as of Stoic', internetComputer(Ed25519KeyIdentity.generate()));
  await works('a secp256k1 identity, as of Plug', internetComputer(Secp256k1KeyIdentity.generate()));

  const person = Ed25519KeyIdentity.generate();
  const delegated = async (end, options) => {
    const key = await ECDSAKeyIdentity.generate();
    return internetComputer(DelegationIdentity.fromDelegation(key, await DelegationChain.create(person, key.getPublicKey(), new Date(end), options)));
  };
  const at = await now();
  const wallet = await delegated(at + hour);
  const tokens = await works('a delegated P-256 session key', wallet, () => delegated(at + hour));
  assert.equal(Date.parse(tokens.session_expires_at), at + hour, 'no longer than the delegation');

  const { session_token } = await signIn(wallet);
  await refused(reauthenticate(wallet, session_token), 'credential_invalid', /delegation was used before/);
  await refused(signIn(await delegated(at - 1000)), 'credential_invalid');
  await refused(signIn(await delegated(at + hour, { targets: [person.getPrincipal()] })), 'credential_invalid');
  await refused(call('/challenge', { chain: 'icp', address: '2vxsx-fae' }), 'invalid_request');
  console.log('ok - the refusals of delegations');

  const { internetIdentity } = await block('internet-identity.js');
  const provider = internetIdentityAt('https://id.example', ofKey(person, at));
  window.opens = provider.open;
  const options = { identityProvider: provider.url, idleOptions: { disableIdle: true }, storage: { get: async () => null, set: async () => {}, remove: async () => {} } };
  await assert.rejects(internetIdentity(options), /outside of click handler/);
  const clicked = () => window.click(() => internetIdentity(options));
  const identity = await clicked();
  assert.equal(identity.address, person.getPrincipal().toText());
  await works('the library of Internet Identity, a new window for each proof', identity, clicked);
  assert.equal(provider.opened(), 2);
}

// --- Ethereum ---

{
  const key = Wallet.createRandom();
  const provider = {
    async request({ method, params }) {
      switch (method) {
        case 'eth_requestAccounts': case 'eth_accounts': return [key.address.toLowerCase()];
        case 'eth_chainId': return '0x1';
        case 'personal_sign': return key.signMessage(getBytes(params[0]));
        default: throw Object.assign(new Error(method), { code: 4200 });
      }
    },
  };
  const { withEthers } = await block('ethers.js');
  await works('an Ethereum wallet, with ethers', await withEthers(provider));

  const { ethereum, wallets } = await block('ethereum.js');
  window.addEventListener('eip6963:requestProvider', () => {
    window.dispatchEvent(Object.assign(new Event('eip6963:announceProvider'), { detail: { info: { name: 'Ours' }, provider } }));
  });
  const found = new Map();
  wallets((name, p) => found.set(name, p));
  const wallet = await ethereum(found.get('Ours'));
  assert.equal(wallet.address, key.address);
  await works('an Ethereum wallet, without a library', wallet);

  await refused(signIn({ ...wallet, address: wallet.address.toLowerCase() }), 'invalid_request');
  const other = await withEthers({ request: async (r) => (r.method === 'personal_sign' ? Wallet.createRandom().signMessage(getBytes(r.params[0])) : provider.request(r)) });
  await refused(signIn(other), 'credential_invalid', /Contract wallets/);
  const texts = [];
  const sleepy = { ...wallet, async sign(text) { // answers its first text for ever
    texts.push(text);
    return { ...(await wallet.sign(texts[0])), message: texts[0] };
  } };
  await signIn(sleepy);
  await refused(signIn(sleepy), 'challenge_invalid');
  console.log('ok - the refusals of Ethereum');
}

// --- Solana ---

{
  const { wallet } = standardWallet();
  const { registerWallet } = await import('@wallet-standard/wallet');
  const { solana, wallets } = await block('solana.js');
  assert.deepEqual(wallets(), []);
  registerWallet(wallet);
  assert.equal(wallets().length, 1);
  await works('a Solana wallet, by the Wallet Standard', await solana(wallets()[0]));

  const { StandardWalletAdapter } = await import('@solana/wallet-standard-wallet-adapter-base');
  const { withAdapter } = await block('solana-adapter.js');
  await works('a Solana wallet, with an adapter', await withAdapter(new StandardWalletAdapter({ wallet })));

  const prefixed = await solana({ features: { ...wallet.features, 'solana:signMessage': { signMessage: async ({ message }) => wallet.features['solana:signMessage'].signMessage({ message: Uint8Array.of(0xff, ...message) }) } } });
  await refused(signIn(prefixed), 'credential_invalid');
  console.log('ok - the refusals of Solana');
}

// --- the browser's client ---

{
  // A manager of a client that is no page: it has neither cookies nor events.
  writeFileSync(join(dir, 'sessions.js'), `
    import { MemoryStorage, SessionManager } from '@mentalverse/session';
    const page = globalThis.document;
    delete globalThis.document;
    export const sessions = new SessionManager({ apiUrl: 'https://sessions.example.org/api', storage: new MemoryStorage(), events: false });
    globalThis.document = page;`);
  const { sessions } = await import(pathToFileURL(join(dir, 'sessions.js')));
  const { found, always, pressed, provesAgain } = await block('client.js');
  const once = async (what, address, wallet, click = (f) => f()) => {
    await click(() => pressed(wallet));
    const seen = await sessions.validateSession();
    assert.equal(seen.principal ?? seen.address, address);
    const before = await sessions.getToken();
    await click(() => provesAgain(wallet));
    assert.notEqual(await sessions.getToken(), before);
    assert.equal((await sessions.validateSession()).valid, true);
    console.log(`ok - by the client, ${what}`);
  };

  const key = Wallet.createRandom();
  const provider = { request: async ({ method, params }) => (method === 'personal_sign' ? key.signMessage(getBytes(params[0])) : [key.address.toLowerCase()]) };
  const stop = found.subscribe(() => {});
  window.dispatchEvent(Object.assign(new Event('eip6963:announceProvider'), { detail: { info: { name: 'By the client' }, provider } }));
  const all = found.getSnapshot();
  assert.deepEqual(all.map((w) => w.name).sort(), ['By the client', 'Ours', 'Ours']);
  stop();
  await once('an Ethereum wallet that was found', key.address, all.find((w) => w.name === 'By the client'));

  const person = Ed25519KeyIdentity.generate();
  const identities = internetIdentityAt('https://id.example', ofKey(person, await now()));
  window.opens = identities.open;
  const identity = always({ identityProvider: identities.url });
  await identity.load();
  await once('Internet Identity', person.getPrincipal().toText(), identity, (f) => window.click(f));
}

assert.deepEqual([...ran].sort(), [...blocks.keys()].sort(), 'every block was run');
process.exit(0);
