import { Ed25519KeyIdentity } from '@icp-sdk/core/identity';
import { beforeEach, expect, it, vi } from 'vitest';
import { SessionError } from '../src/index.js';
import type { SessionManager } from '../src/index.js';
import { internetIdentity, signIn } from '../src/wallets/index.js';
import type { IdentityClient } from '../src/wallets/index.js';
import { service, settle, tab, until } from './world.js';

/** The library, as the tests make it behave. */
const library = vi.hoisted(() => ({
  made: [] as Record<string, unknown>[],
  missing: false,
  signIn: undefined as unknown as (options?: object) => Promise<unknown>,
  signedOut: 0,
}));
vi.mock('@icp-sdk/auth/client', () => ({
  get AuthClient() {
    if (library.missing) throw new Error('not installed');
    return class {
      constructor(options: Record<string, unknown>) { library.made.push(options); }
      signIn(options?: object) { return library.signIn(options); }
      async signOut() { library.signedOut++; }
    };
  },
}));

const person = Ed25519KeyIdentity.generate();
let sessions: SessionManager;
beforeEach(async () => {
  sessions = tab();
  Object.assign(library, { made: [], missing: false, signedOut: 0, signIn: async () => person });
  await settle();
});

async function code(promise: Promise<unknown>): Promise<unknown> {
  let told: unknown;
  promise.then(() => { told = 'nothing'; }, (e: unknown) => { told = e instanceof SessionError ? e.code : e; });
  await until(() => told !== undefined);
  return told;
}

it('opens its window before anything is awaited, and leaves nothing behind', async () => {
  const wallet = internetIdentity({ identityProvider: 'https://id.test/authorize', maxTimeToLive: 7n });
  await wallet.load();
  let asked: unknown;
  library.signIn = async (options) => { asked = options; return person; };
  const promise = signIn(sessions, wallet);
  expect(asked).toEqual({ maxTimeToLive: 7n }); // at once: it is still the click
  expect(await code(promise)).toBe('nothing');
  expect(service.last('/challenge').body).toMatchObject({ address: person.getPrincipal().toText() });
  expect(library.signedOut).toBe(1);
  const [{ storage, ...rest }] = library.made as [{ storage: { get(k: string): Promise<unknown>; set(k: string, v: unknown): Promise<void>; remove(k: string): Promise<void> } }];
  expect(rest).toEqual({ identityProvider: 'https://id.test/authorize', idleOptions: { disableIdle: true } });
  await storage.set('a', 'b');
  expect([await storage.get('a'), await storage.get('c')]).toEqual(['b', null]);
  await storage.remove('a');
  expect(await storage.get('a')).toBeNull();
});

it.each([
  ['popup_blocked', new Error('Signer window should not be opened outside of click handler, see: x')],
  ['popup_blocked', new Error('Signer window could not be opened')],
  ['popup_closed', Object.assign(new Error('Channel was closed before a response was received'), { code: 4000 })],
  ['popup_closed', new Error('Communication channel could not be established within a reasonable time')],
  ['wallet_rejected', Object.assign(new Error('x'), { code: 3001 })],
  ['wallet_rejected', Object.assign(new Error('x'), { code: 3000 })],
  ['wallet_unsupported', Object.assign(new Error('x'), { code: 2000 })],
  ['wallet_failed', Object.assign(new Error('x'), { code: 1000 })],
  ['wallet_failed', 'a word'],
])('%s', async (wanted, e) => {
  const wallet = internetIdentity();
  await wallet.load();
  library.signIn = () => Promise.reject(e as Error);
  expect(await code(signIn(sessions, wallet))).toBe(wanted);
  expect(library.signedOut).toBe(1);
  expect(service.count('/challenge')).toBe(0);
});

it('an identity that is none, or that came to nothing, signs nobody in', async () => {
  const wallet = internetIdentity();
  await wallet.load();
  library.signIn = async () => undefined;
  expect(await code(signIn(sessions, wallet))).toBe('wallet_failed');
});

it('a click before the library is there opens no window, and the next one does', async () => {
  const wallet = internetIdentity();
  expect(await code(signIn(sessions, wallet))).toBe('popup_blocked');
  expect(library.made).toEqual([]);
  expect(await code(signIn(sessions, wallet))).toBe('nothing');
});

it('two clicks open one window, also on two buttons', async () => {
  const [one, two] = [internetIdentity(), internetIdentity()];
  await Promise.all([one.load(), two.load()]);
  const both = [signIn(sessions, one), signIn(sessions, two)];
  expect(await Promise.all(both.map(code))).toEqual(['nothing', 'nothing']);
  expect(library.made.length).toBe(1);
});

it('the page\u2019s own client is asked, and keeps what it has', async () => {
  const client = { signIn: vi.fn(async () => person), signOut: vi.fn(async () => undefined) } satisfies IdentityClient;
  const wallet = internetIdentity({ client });
  await wallet.load();
  expect(await code(signIn(sessions, wallet))).toBe('nothing');
  expect(client.signIn).toHaveBeenCalledWith({});
  expect(client.signOut).not.toHaveBeenCalled();
  expect(library.made).toEqual([]);
});

it('what answers after an abort is signed out too, and signs nobody in', async () => {
  const wallet = internetIdentity();
  await wallet.load();
  let answer: (identity: unknown) => void = () => undefined;
  library.signIn = () => new Promise((done) => { answer = done; });
  const stop = new AbortController();
  const gone = code(signIn(sessions, wallet, { signal: stop.signal }));
  stop.abort();
  expect(await gone).toMatchObject({ name: 'AbortError' });
  answer(person);
  await until(() => library.signedOut === 1);
  expect(service.count('/challenge')).toBe(0);
});

it('without the library it says which is missing', async () => {
  library.missing = true;
  const wallet = internetIdentity();
  const e = await wallet.load().catch((x: unknown) => x) as SessionError;
  expect([e.code, e.details.reason]).toEqual(['library_missing', '@icp-sdk/auth 7 and @icp-sdk/core 5']);
  expect(await code(signIn(sessions, wallet))).toBe('library_missing');
  library.missing = false; // it could only not be loaded
  await wallet.load();
  expect(await code(signIn(sessions, wallet))).toBe('nothing');
});
