// The wallets that this browser has. Each is { name, chain, connect }, where
// connect asks it for an account: { address, sign }, and sign answers a text
// with the parts of a credential.

import { checksum } from '/eip55.js';
import { Problem } from '/problems.js';

export const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const utf8 = (text) => new TextEncoder().encode(text);

// A wallet names itself: what it says is shown as text, and not all of a novel.
const named = (name, fallback) => (typeof name === 'string' && name.trim().slice(0, 40)) || fallback;

// --- Ethereum: providers of EIP-1193 ---

const toHex = (bytes) => '0x' + [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');

function fromHex(text) {
  if (typeof text !== 'string' || !/^0x([0-9a-f]{2})*$/i.test(text)) throw new Problem('answer');
  return Uint8Array.from(text.slice(2).match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

const ethereum = (name, provider) => ({
  name,
  chain: 'ethereum',
  async connect() {
    const [account] = await provider.request({ method: 'eth_requestAccounts' }) ?? [];
    if (!account) throw new Problem('account');
    if (!/^0x[0-9a-f]{40}$/i.test(account)) throw new Problem('answer');
    return {
      address: checksum(account),
      sign: async (text) => ({
        type: 'eip191',
        signature: base64url(fromHex(await provider.request({ method: 'personal_sign', params: [toHex(utf8(text)), account] }))),
      }),
    };
  },
});

// --- Solana: wallets of the Wallet Standard ---

const usable = (it, ...features) => features.every((f) => it.features?.[f]) && it.chains?.some((c) => c.startsWith('solana:'));
const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

const solana = (wallet) => ({
  name: named(wallet.name, 'Wallet'),
  chain: 'solana',
  async connect() {
    const { accounts } = await wallet.features['standard:connect'].connect();
    const account = accounts.find((a) => a.features.includes('solana:signMessage') && a.chains.some((c) => c.startsWith('solana:')));
    if (!account) throw new Problem('account');
    return {
      address: account.address,
      async sign(text) {
        const message = utf8(text);
        const [out] = await wallet.features['solana:signMessage'].signMessage({ account, message });
        if (!same(out.signedMessage, message)) throw new Problem('answer'); // it may add to the text, and say so
        return { type: 'solana:ed25519', signature: base64url(out.signature) };
      },
    };
  },
});

// injectedSolana is what wallets put into window.solana from before the standard.
const injectedSolana = (provider) => ({
  name: 'Browser wallet',
  chain: 'solana',
  async connect() {
    const publicKey = (await provider.connect())?.publicKey ?? provider.publicKey;
    if (!publicKey) throw new Problem('account');
    return {
      address: publicKey.toString(),
      sign: async (text) => ({ type: 'solana:ed25519', signature: base64url((await provider.signMessage(utf8(text), 'utf8')).signature) }),
    };
  },
});

// --- finding them ---

// find calls back with all wallets, now and whenever another one tells of
// itself. What stands in window counts for a chain where none does.
export function find(changed) {
  const announced = new Map(); // by EIP-6963's uuid, or the standard's wallet
  const injected = [];
  if (window.ethereum?.request) injected.push(ethereum('Browser wallet', window.ethereum));
  if (window.solana?.connect && window.solana.signMessage) injected.push(injectedSolana(window.solana));
  const all = () => {
    const wallets = [...announced.values()];
    return [...wallets, ...injected.filter((i) => !wallets.some((w) => w.chain === i.chain))];
  };
  const tell = () => changed(all());

  addEventListener('eip6963:announceProvider', ({ detail }) => {
    if (!detail?.info?.uuid || !detail.provider?.request || announced.has(detail.info.uuid)) return;
    announced.set(detail.info.uuid, ethereum(named(detail.info.name, 'Wallet'), detail.provider));
    tell();
  });
  dispatchEvent(new Event('eip6963:requestProvider'));

  const standard = Object.freeze({
    register(...wallets) {
      for (const w of wallets) if (usable(w, 'standard:connect', 'solana:signMessage')) announced.set(w, solana(w));
      tell();
      return () => {
        for (const w of wallets) announced.delete(w);
        tell();
      };
    },
  });
  addEventListener('wallet-standard:register-wallet', ({ detail }) => detail(standard));
  dispatchEvent(new CustomEvent('wallet-standard:app-ready', { detail: standard }));
  tell();
}
