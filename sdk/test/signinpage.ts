// A page that signs in with the wallets of its browser, for the tests of the
// real one. What stands in its address says where Internet Identity is.
import { SessionManager, isSessionError } from '../src/index.js';
import { credential, discover, internetIdentity, reauthenticate, signIn } from '../src/wallets/index.js';
import type { Wallet } from '../src/wallets/index.js';

const at = (id: string) => document.getElementById(id) as HTMLElement;
const sessions = new SessionManager({ apiUrl: '/api' });
const identityProvider = new URLSearchParams(location.search).get('identities');
const always = identityProvider ? [internetIdentity({ identityProvider })] : [];
const found = discover();
let asking = new AbortController();

const show = (id: string, text: string) => { at(id).textContent = text; };
async function told(work: () => Promise<unknown>): Promise<void> {
  show('problem', '');
  try {
    await work();
    show('done', String(Number(at('done').textContent) + 1));
  } catch (e) {
    show('problem', isSessionError(e) ? [e.code, e.details.reason].filter(Boolean).join(': ') : (e as Error).name);
  }
}

function button(list: string, wallet: Wallet, press: () => void): void {
  const b = document.createElement('button');
  const image = document.createElement('img');
  if (wallet.icon) image.src = wallet.icon;
  b.append(image, `${wallet.name} (${wallet.chain})`);
  b.onclick = press;
  at(list).append(b);
}

function draw(): void {
  at('wallets').replaceChildren();
  at('again').replaceChildren();
  for (const wallet of [...always, ...found.getSnapshot()]) {
    button('wallets', wallet, () => {
      asking = new AbortController();
      void told(() => signIn(sessions, wallet, { signal: asking.signal }));
    });
    button('again', wallet, () => { void told(() => reauthenticate(sessions, wallet)); });
  }
}
found.subscribe(draw);
draw();

at('cancel').onclick = () => { asking.abort(); };
at('late').onclick = () => { void told(async () => { await new Promise((done) => { setTimeout(done); }); return signIn(sessions, always[0] as Wallet); }); };
at('out').onclick = () => { void sessions.logout(); };
sessions.subscribe(() => { show('status', sessions.getSnapshot().status); });
Object.assign(globalThis, { sessions, wallets: { credential, found } });
Promise.all(always.map((w) => w.load())).finally(() => { show('loaded', 'yes'); }).catch((e: unknown) => { show('problem', (e as { code: string }).code); });
