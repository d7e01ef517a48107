import { Listeners } from '../listeners.js';
import { ethereum } from './ethereum.js';
import type { EthereumProvider } from './ethereum.js';
import { plug, plugIn } from './plug.js';
import { signsOnSolana, solana } from './solana.js';
import type { SolanaAdapter, StandardWallet } from './solana.js';
import type { Wallet } from './wallet.js';

/** The wallets of this browser, in the shape of useSyncExternalStore. */
export interface Discovery {
  /** Those known now; the same array until one comes or goes. */
  getSnapshot(): readonly Wallet[];
  /** Asks wallets to tell of themselves, and listens for late ones. With the last listener all listening ends. */
  subscribe(listener: () => void): () => void;
}

const most = 50; // wallets; nobody reads on

/**
 * Finds wallets: announced by EIP-6963, registered by the Wallet Standard, Plug,
 * and, for a chain on which nobody tells of themselves, what stands in `window`.
 * A wallet is the same object as long as its source is. On a server there are
 * none.
 */
export function discover(): Discovery {
  const [keep, keepInjected] = [keeper(), keeper()]; // what stands in window has no name until it tells of itself
  const listeners = new Listeners<[]>();
  let count = 0;
  const found = new Map<unknown, Wallet>(); // by source or EIP-6963's uuid, in the order of their words
  let snapshot: readonly Wallet[] = [];
  let end: (() => void) | undefined;

  const tell = () => {
    const all = [...found.values()];
    const others = injected(keepInjected).filter((w) => !all.some((a) => a.chain === w.chain || a.source === w.source));
    const next = [...all, ...others];
    if (next.length === snapshot.length && next.every((w, i) => w === snapshot[i])) return;
    snapshot = next;
    listeners.call();
  };
  const add: Add = (key, source, make) => {
    if (found.size < most && !found.has(key)) found.set(key, keep(source, make));
  };

  return {
    getSnapshot: () => snapshot,
    subscribe(listener) {
      let forget: (() => void) | undefined = listeners.add(listener);
      count++;
      if (typeof window !== 'undefined') end ??= listen(add, (key) => found.delete(key), tell);
      return () => {
        if (!forget) return;
        forget();
        forget = undefined;
        if (--count) return;
        end?.();
        end = undefined;
        found.clear();
      };
    },
  };
}

type Add = (key: unknown, source: object, make: () => Wallet) => void;
type Keep = (source: object, make: () => Wallet) => Wallet;

/** Makes a wallet of each source once. */
function keeper(): Keep {
  const known = new WeakMap<object, Wallet>();
  return (source, make) => {
    const wallet = known.get(source) ?? make();
    known.set(source, wallet);
    return wallet;
  };
}

/** Begins to listen; the answer ends it. What strangers say is read with care, and what they throw is theirs. */
function listen(add: Add, remove: (key: unknown) => void, tell: () => void): () => void {
  let open = true;
  let asking = true;
  const careful = <A extends unknown[]>(work: (...args: A) => void) => (...args: A) => {
    if (!open) return;
    try { work(...args); } catch { /* not a wallet then */ }
    if (!asking) tell();
  };
  const announced = careful((e: Event) => {
    const { info, provider } = (e as CustomEvent<{ info: { uuid?: unknown; name?: string; icon?: string }; provider: EthereumProvider }>).detail;
    if (typeof provider.request === 'function') add(info.uuid ?? provider, provider, () => ethereum(provider, info));
  });
  const register = (...wallets: StandardWallet[]) => {
    careful(() => { for (const w of wallets) if (signsOnSolana(w)) add(w, w, () => solana(w)); })();
    return careful(() => { for (const w of wallets) remove(w); });
  };
  const standard = Object.freeze({ register });
  const registered = careful((e: Event) => { (e as CustomEvent<(api: typeof standard) => void>).detail(standard); });

  window.addEventListener('eip6963:announceProvider', announced);
  window.addEventListener('wallet-standard:register-wallet', registered);
  window.dispatchEvent(new Event('eip6963:requestProvider'));
  window.dispatchEvent(new CustomEvent('wallet-standard:app-ready', { detail: standard }));
  asking = false;
  tell();
  return () => {
    open = false;
    window.removeEventListener('eip6963:announceProvider', announced);
    window.removeEventListener('wallet-standard:register-wallet', registered);
  };
}

/** What wallets put into window. */
function injected(keep: Keep): Wallet[] {
  const out: Wallet[] = [];
  try {
    const page = window as { ethereum?: EthereumProvider; solana?: SolanaAdapter };
    if (typeof page.ethereum?.request === 'function') out.push(keep(page.ethereum, () => ethereum(page.ethereum)));
    if (typeof page.solana?.signMessage === 'function') out.push(keep(page.solana, () => solana(page.solana)));
    if (plugIn()) out.push(keep(plugIn, () => plug()));
  } catch { /* a getter that throws */ }
  return out;
}
