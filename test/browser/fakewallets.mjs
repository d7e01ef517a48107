// Wallets as they come into browsers: fakes, whose keys and signatures are real.
// Half of each stands in Node, and half in the page.
import assert from 'node:assert/strict';
import bs58 from 'bs58';
import { Wallet, getBytes } from 'ethers';
import nacl from 'tweetnacl';

// --- what stands in Node ---

export const refuse = (code, message) => { throw Object.assign(new Error(message), { code }); };

// ethereum is an EIP-1193 wallet; spell is how it writes its address, and it
// may answer some methods otherwise.
export function ethereum(name, { spell = (a) => a.toLowerCase(), key = Wallet.createRandom(), ...other } = {}) {
  return {
    name,
    address: key.address,
    answer(method, params) {
      if (other[method]) return other[method](params, key);
      if (method === 'eth_requestAccounts') return [spell(key.address)];
      if (method === 'personal_sign') {
        assert.equal(params[1], spell(key.address), 'asked in the spelling it gave');
        return key.signMessage(getBytes(params[0]));
      }
      return refuse(4200, `${method} is not supported`);
    },
  };
}

// solana signs as wallets of the Wallet Standard do.
export function solana(name, { sign } = {}) {
  const keys = nacl.sign.keyPair();
  const own = (message) => ({ signedMessage: message, signature: [...nacl.sign.detached(Uint8Array.from(message), keys.secretKey)] });
  return {
    name,
    address: bs58.encode(keys.publicKey),
    answer: (method, message) => (method === 'account' ? [...keys.publicKey] : (sign ?? own)(message, own)),
  };
}

// --- what stands in the page ---

function inject({ eip6963, injectedEthereum, standard, injectedSolana }) {
  const ask = async (name, method, params) => {
    const { result, error } = await window.askWallet(name, method, params);
    if (error) throw Object.assign(new Error(error.message), { code: error.code });
    return result;
  };
  window.listeners = []; // of accountsChanged, of all wallets
  const provider = (name) => Object.freeze({
    request: ({ method, params }) => ask(name, method, params),
    on: (_, f) => { window.listeners.push(f); },
    removeListener: (_, f) => { window.listeners = window.listeners.filter((other) => other !== f); },
  });
  const announce = (name) => dispatchEvent(new CustomEvent('eip6963:announceProvider', {
    detail: Object.freeze({ info: Object.freeze({ uuid: `uuid of ${name}`, name, icon: 'data:image/svg+xml,<svg/>', rdns: 'test.wallet' }), provider: provider(name) }),
  }));
  addEventListener('eip6963:requestProvider', () => eip6963.forEach((name) => { announce(name); announce(name); })); // some announce twice
  if (injectedEthereum) window.ethereum = provider(injectedEthereum);
  window.announceLate = announce;

  const account = async ([name, address]) => ({ address, publicKey: Uint8Array.from(await ask(name, 'account')), chains: ['solana:mainnet'], features: ['solana:signMessage'] });
  const register = (wallet) => {
    const callback = (api) => { const unregister = api.register(wallet); window.unregister ??= unregister; };
    dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: callback }));
    addEventListener('wallet-standard:app-ready', ({ detail: api }) => callback(api));
  };
  for (const [name, address] of standard) {
    register({
      version: '1.0.0', name, icon: 'data:image/png;base64,', chains: ['solana:mainnet', 'solana:devnet'], accounts: [],
      features: {
        'standard:connect': { version: '1.0.0', connect: async () => ({ accounts: [await account([name, address])] }) },
        'solana:signMessage': {
          version: '1.1.0',
          signMessage: async ({ account, message }) => {
            if (account.address !== address) throw new Error('another account');
            const { signedMessage, signature } = await ask(name, 'sign', [...message]);
            return [{ signedMessage: Uint8Array.from(signedMessage), signature: Uint8Array.from(signature) }];
          },
        },
      },
    });
  }
  register({ version: '1.0.0', name: 'Another chain', icon: '', chains: ['sui:mainnet'], accounts: [], features: { 'standard:connect': {} } });
  if (injectedSolana) {
    const [name, address] = injectedSolana;
    const publicKey = { toString: () => address };
    window.solana = {
      connect: async () => ({ publicKey }),
      signMessage: async (message) => ({ publicKey, signature: Uint8Array.from((await ask(name, 'sign', [...message])).signature) }),
    };
  }
}

// equip gives a browser's pages these wallets.
export async function equip(context, { eip6963 = [], injectedEthereum, standard = [], injectedSolana } = {}) {
  const all = [...eip6963, ...standard, injectedEthereum, injectedSolana].filter(Boolean);
  await context.exposeFunction('askWallet', async (name, method, params) => {
    try {
      return { result: await all.find((w) => w.name === name).answer(method, params) };
    } catch (e) {
      return { error: { code: e.code, message: e.message } };
    }
  });
  await context.addInitScript(inject, {
    eip6963: eip6963.map((w) => w.name), injectedEthereum: injectedEthereum?.name,
    standard: standard.map((w) => [w.name, w.address]), injectedSolana: injectedSolana && [injectedSolana.name, injectedSolana.address],
  });
}
