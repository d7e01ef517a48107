import { Ed25519KeyIdentity, DelegationChain, DelegationIdentity } from '@icp-sdk/core/identity';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SessionError } from '../src/index.js';
import type { SessionManager } from '../src/index.js';
import { credential, ethereum, identity, plug, reauthenticate, signIn, solana } from '../src/wallets/index.js';
import type { EthereumProvider, SolanaAdapter, StandardWallet, Wallet } from '../src/wallets/index.js';
import { json, pass, refusal, service, settle, signedIn, tab, until } from './world.js';

// --- wallets ---

const account = '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed';
const spelled = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';
const signed = `0x${'ab'.repeat(65)}`;

type Answers = Record<string, (params?: unknown) => unknown>;

/** An EIP-1193 wallet that answers as told, and counts who listens. */
class Provider implements EthereumProvider {
  asked: { method: string; params?: unknown }[] = [];
  listeners = new Set<(accounts: string[]) => void>();
  heard = 0;
  constructor(readonly answers: Answers = {}) {}

  async request(call: { method: string; params?: unknown }): Promise<unknown> {
    this.asked.push(call);
    const answer = this.answers[call.method] ?? { eth_requestAccounts: () => [account], personal_sign: () => signed }[call.method];
    return answer?.(call.params);
  }

  on(_: string, f: (accounts: string[]) => void): void { this.listeners.add(f); this.heard++; }
  removeListener(_: string, f: (accounts: string[]) => void): void { this.listeners.delete(f); }
  times(method: string): number { return this.asked.filter((c) => c.method === method).length; }
}

const solanaAddress = '4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T';
const ours = { address: solanaAddress, chains: ['solana:mainnet'], features: ['solana:signMessage'] };
const sixtyFour = () => new Uint8Array(64).fill(7);

/** A wallet of the Wallet Standard. */
function standard({ connect, sign, name = 'Standard' }: { connect?: () => unknown; sign?: (message: Uint8Array) => unknown; name?: string } = {}) {
  const listeners = new Set<(change: object) => void>();
  const signMessage = vi.fn(async ({ message }: { message: Uint8Array }) => (sign ?? ((m: Uint8Array) => [{ signedMessage: m, signature: sixtyFour() }]))(message));
  const wallet = {
    name, icon: 'data:image/png;base64,AA', chains: ['solana:mainnet'],
    features: {
      'standard:connect': { connect: async () => (connect ?? (() => ({ accounts: [{ address: 'x', chains: ['sui:mainnet'], features: [] }, ours] })))() },
      'standard:events': { on: (_: string, f: (change: object) => void) => { listeners.add(f); return () => { listeners.delete(f); }; } },
      'solana:signMessage': { signMessage },
    },
  } satisfies StandardWallet;
  return { wallet, listeners, signMessage };
}

const unconnected = {
  publicKey: null as { toString(): string } | null,
  async connect() { this.publicKey = { toString: () => solanaAddress }; },
  signMessage: async () => sixtyFour(),
};

const never = () => new Promise<never>(() => undefined);
const thrown = (code: unknown, message = 'no') => () => { throw Object.assign(new Error(message), { code }); };

interface Credential { v: number; type: string; message: string; signature: string; publicKey?: string; delegations?: { delegation: object; signature: string }[] }
const read = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString()) as Credential;
const presented = () => read(service.last('/sessions').headers.get('Authorization')?.replace('Bearer ', '') ?? '');

/** What a promise gives; faked time stands still meanwhile. */
async function soon<T>(promise: Promise<T>): Promise<T> {
  let done = false;
  const watched = promise.finally(() => { done = true; });
  watched.catch(() => undefined);
  await until(() => done);
  return watched;
}

const code = (promise: Promise<unknown>) => soon(promise.then(() => 'nothing', (e: unknown) => (e instanceof SessionError ? e.code : e)));

vi.setConfig({ testTimeout: 90_000 });

let sessions: SessionManager;
beforeEach(async () => {
  sessions = tab();
  await settle();
  service.seen = [];
});

// --- signing in ---

describe('a wallet signs in', () => {
  it('on Ethereum, with an address in lower case', async () => {
    const provider = new Provider();
    const data = await soon(signIn(sessions, ethereum(provider), { deviceLabel: 'Firefox' }));
    expect(data.session_id).toMatch(/^sess_/);
    expect(sessions.getSnapshot().status).toBe('authenticated');
    expect(service.last('/challenge').body).toEqual({ chain: 'ethereum', address: spelled, session_type: 'standard' });
    expect(service.last('/challenge').credentials).toBe('omit');
    const { v, type, message, signature } = presented();
    expect([v, type, Buffer.from(signature, 'base64url').toString('hex')]).toEqual([1, 'eip191', 'ab'.repeat(65)]);
    expect(provider.asked[1]?.params).toEqual([`0x${Buffer.from(message).toString('hex')}`, account]);
    expect(service.last('/sessions').body).toMatchObject({ session_type: 'standard', device_label: 'Firefox' });
    expect([provider.heard, provider.listeners.size]).toEqual([1, 0]);
  });

  it('on Solana, with the account that can sign a text', async () => {
    const { wallet, listeners, signMessage } = standard();
    await soon(signIn(sessions, solana(wallet)));
    expect(service.last('/challenge').body).toMatchObject({ chain: 'solana', address: solanaAddress });
    expect(presented()).toMatchObject({ type: 'solana:ed25519', signature: Buffer.from(sixtyFour()).toString('base64url') });
    expect(signMessage.mock.calls[0]?.[0]).toMatchObject({ account: ours });
    expect(listeners.size).toBe(0);
  });

  it.each<[string, SolanaAdapter]>([
    ['a wallet adapter', { publicKey: { toString: () => solanaAddress }, signMessage: async () => sixtyFour() }],
    ['a wallet adapter that is not connected', unconnected],
    ['what stood in window.solana before the standard', { connect: async () => ({ publicKey: { toString: () => solanaAddress } }), signMessage: async () => ({ signature: sixtyFour() }) }],
  ])('on Solana, by %s', async (_, adapter) => {
    await soon(signIn(sessions, solana(adapter)));
    expect(presented()).toMatchObject({ type: 'solana:ed25519', signature: Buffer.from(sixtyFour()).toString('base64url') });
  });

  it('of the Internet Computer, with its own key and with a delegation', async () => {
    const person = Ed25519KeyIdentity.generate();
    await soon(signIn(sessions, identity(person)));
    expect(service.last('/challenge').body).toMatchObject({ chain: 'icp', address: person.getPrincipal().toText() });
    const own = presented();
    expect(own.delegations).toBeUndefined();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(own.message)));
    const what = new Uint8Array([...new TextEncoder().encode('\x13ic-signer-challenge'), ...digest]);
    expect(own.signature).toBe(Buffer.from(await person.sign(what)).toString('base64url'));

    const key = Ed25519KeyIdentity.generate();
    const chain = await DelegationChain.create(person, key.getPublicKey(), new Date(Date.now() + 3_600_000));
    await soon(signIn(sessions, identity(async () => DelegationIdentity.fromDelegation(key, chain))));
    const delegated = presented();
    expect(delegated.publicKey).toBe(own.publicKey);
    expect(delegated.delegations).toEqual([{
      delegation: { pubkey: Buffer.from(key.getPublicKey().toDer()).toString('base64url'), expiration: String(chain.delegations[0]?.delegation.expiration) },
      signature: Buffer.from(chain.delegations[0]?.signature ?? []).toString('base64url'),
    }]);
  });

  it('of Plug, by the identity of its agent', async () => {
    const person = Ed25519KeyIdentity.generate();
    const requestConnect = vi.fn(async () => { provider.agent = { _identity: Promise.resolve(person) }; });
    const provider: { requestConnect: typeof requestConnect; agent?: object } = { requestConnect };
    vi.stubGlobal('ic', { plug: provider });
    await soon(signIn(sessions, plug()));
    expect(requestConnect).toHaveBeenCalledWith({ whitelist: [] });
    expect(service.last('/challenge').body).toMatchObject({ chain: 'icp', address: person.getPrincipal().toText() });
    vi.stubGlobal('ic', { plug: { requestConnect: async () => undefined, agent: {} } });
    expect(await code(signIn(sessions, plug()))).toBe('wallet_unsupported');
  });

  it('of a professional, with the type in the text', async () => {
    await soon(signIn(sessions, ethereum(new Provider()), { type: 'professional' }));
    expect(presented().message).toMatch(/\n- urn:mentalverse:session:professional$/);
    expect(service.last('/sessions').body).toMatchObject({ session_type: 'professional' });
  });

  it('but no anonymous session: no wallet is asked, and nothing is sent', async () => {
    const provider = new Provider();
    expect(await code(signIn(sessions, ethereum(provider), { type: 'anonymous' as 'standard' }))).toBe('invalid_request');
    expect([provider.asked, service.seen]).toEqual([[], []]);
  });

  it('gives a credential to whoever opens the session', async () => {
    const { signature } = await soon(credential(sessions, ethereum(new Provider())));
    expect(service.count('/sessions')).toBe(0);
    expect(read(signature)).toMatchObject({ v: 1, type: 'eip191' });
  });
});

// --- a text that must not be signed ---

describe('nothing is signed', () => {
  const lines = (change: (l: string[]) => void) => (message: string) => { const l = message.split('\n'); change(l); return l.join('\n'); };
  const set = (n: number, text: string) => lines((l) => { l[n] = text; });
  const hostile: [string, (message: string) => unknown][] = [
    ['of another domain', (m) => m.replace('sessions.test wants', 'bank.test wants')],
    ['of a domain that begins with ours', (m) => m.replace('sessions.test wants', 'sessions.test.evil wants')],
    ['of a domain that ends with ours', (m) => m.replace('sessions.test wants', 'evil@sessions.test wants')],
    ['with a scheme before the domain', (m) => `https://${m}`],
    ['of another port', (m) => m.replace('sessions.test wants', 'sessions.test:8443 wants')],
    ['for another chain', (m) => m.replace('your Ethereum account', 'your Solana account')],
    ['for another address of the service', set(5, 'URI: https://bank.test/login')],
    ['for another path', set(5, 'URI: https://sessions.test/other')],
    ['without encryption', set(5, 'URI: http://sessions.test/api/auth/sessions')],
    ['with another nonce', (m) => m.replace(/Nonce: a/, 'Nonce: b')],
    ['with a nonce elsewhere', lines((l) => { l[3] = l[8] ?? ''; l[8] = 'Nonce: 12345678'; })],
    ['with another chain ID', set(7, 'Chain ID: 137')],
    ['for another type of session', (m) => m.replace('urn:mentalverse:session:standard', 'urn:mentalverse:session:professional')],
    ['with one resource more', (m) => `${m}\n- https://bank.test/`],
    ['with a line more', lines((l) => { l.splice(9, 0, 'Not Before: 2026-11-28T10:00:00.000Z'); })],
    ['with a line less', lines((l) => { l.splice(11, 1); })],
    ['with two lines of a statement', lines((l) => { l.splice(3, 0, 'I give away all I have.'); })],
    ['with marks that move the eye', set(3, 'Sign in\u202e to MentalVerse.')],
    ['with a statement of something else than ASCII', set(3, 'Sign in to МentalVerse.')],
    ['without a statement', set(3, '')],
    ['that is good for a day', set(10, 'Expiration Time: 2026-11-29T10:00:00.000Z')],
    ['that is over before it begins', set(10, 'Expiration Time: 2026-11-28T09:59:00.000Z')],
    ['that is good for ever', set(10, 'Expiration Time: never')],
    ['whose times are swapped', lines((l) => { [l[9], l[10]] = [l[10] ?? '', l[9] ?? '']; })],
    ['without a request', set(11, 'Request ID: ')],
    ['with carriage returns', (m) => m.replaceAll('\n', '\r\n')],
    ['with a line break at its end', (m) => `${m}\n`],
    ['that is a transaction', () => `0x${'f8'.repeat(110)}`],
    ['that is longer than any', (m) => m + 'x'.repeat(5000)],
    ['that is no text', () => ({ toString: () => 'x' })],
    ['that is not there', () => undefined],
  ];

  it.each(hostile)('%s', async (_, change) => {
    service.always = async (seen, serve) => {
      const answer = serve();
      if (seen.path !== '/challenge') return answer;
      const { data } = await answer.json() as { data: { message: string; nonce: string } };
      return json(200, { success: true, data: { ...data, message: change(data.message) } });
    };
    const provider = new Provider();
    expect(await code(signIn(sessions, ethereum(provider)))).toBe('challenge_untrusted');
    expect(provider.times('personal_sign')).toBe(0);
    expect(service.count('/sessions')).toBe(0);
    expect(provider.listeners.size).toBe(0);
  });

  it.each(['short', 'A'.repeat(64), 'a'.repeat(65), 7, undefined])('with the nonce %s', async (nonce) => {
    service.always = (seen, serve) => (seen.path === '/challenge' ? json(200, { success: true, data: { nonce, message: service.text('ethereum', spelled, 'standard', String(nonce)) } }) : serve());
    const provider = new Provider();
    expect(await code(signIn(sessions, ethereum(provider)))).toBe('challenge_untrusted');
    expect(provider.times('personal_sign')).toBe(0);
  });

  it('of another account', async () => {
    service.always = (seen, serve) => (seen.path === '/challenge' ? json(200, { success: true, data: { nonce: 'a'.repeat(64), message: service.text('ethereum', `0x${'1'.repeat(40)}`, 'standard', 'a'.repeat(64)) } }) : serve());
    const provider = new Provider();
    expect(await code(signIn(sessions, ethereum(provider)))).toBe('wallet_wrong_account');
    expect(provider.times('personal_sign')).toBe(0);
  });

  it('and the error says which domain the text was for, and which it must name', async () => {
    const e = await soon(signIn(sessions, ethereum(new Provider()), { domain: 'app.test' }).catch((x: unknown) => x)) as SessionError;
    expect(e.code).toBe('challenge_untrusted');
    expect(e.details.reason).toContain('the text is for sessions.test, not for app.test');
  });

  it('but where the page says so, under another name of the service', async () => {
    service.always = async (seen, serve) => {
      const answer = serve();
      return seen.path === '/challenge' ? new Response((await answer.text()).replaceAll('sessions.test', 'app.test'), answer) : answer;
    };
    await soon(signIn(sessions, ethereum(new Provider()), { domain: 'app.test' }));
    expect(sessions.getSnapshot().status).toBe('authenticated');
  });

  it('when the service refuses, and its error is told', async () => {
    service.faults = [() => refusal(429, 'rate_limited', undefined, { 'Retry-After': '7' })];
    const provider = new Provider();
    const e = await soon(signIn(sessions, ethereum(provider)).catch((x: unknown) => x)) as SessionError;
    expect([e.code, e.retryAfter, provider.times('personal_sign')]).toEqual(['rate_limited', 7000, 0]);
  });
});

// --- what wallets say and do ---

describe('what a wallet says is read', () => {
  it.each<[string, Answers]>([
    ['wallet_rejected', { eth_requestAccounts: thrown(4001) }],
    ['wallet_rejected', { personal_sign: thrown('ACTION_REJECTED') }],
    ['wallet_rejected', { personal_sign: thrown(undefined, 'MetaMask Message Signature: User denied message signature.') }],
    ['wallet_rejected', { personal_sign: () => { throw new Error('wrapped', { cause: { code: 4001 } }); } }],
    ['wallet_busy', { eth_requestAccounts: thrown(-32002) }],
    ['wallet_locked', { eth_requestAccounts: thrown(4100) }],
    ['wallet_locked', { eth_requestAccounts: () => [] }],
    ['wallet_locked', { eth_requestAccounts: () => undefined }],
    ['wallet_unsupported', { personal_sign: thrown(4200) }],
    ['wallet_unsupported', { personal_sign: thrown(-32601) }],
    ['wallet_wrong_chain', { personal_sign: thrown(4900) }],
    ['wallet_wrong_chain', { personal_sign: thrown(4901) }],
    ['wallet_failed', { personal_sign: thrown(-32603) }],
    ['wallet_failed', { personal_sign: () => { throw undefined; } }],
    ['wallet_failed', { personal_sign: () => { throw 'a word'; } }],
    ['wallet_failed', { personal_sign: thrown('toString') }],
    ['wallet_failed', { personal_sign: () => { throw Object.defineProperty({}, 'code', { get: () => { throw new Error('a trap'); } }); } }],
    ['wallet_failed', { personal_sign: () => { throw Object.assign(new Error('The session is over.'), { name: 'SessionError', code: 'session_invalid', status: 401, retryable: false, details: {} }); } }],
    ['wallet_failed', { eth_requestAccounts: () => 'vitalik.eth' }],
    ['wallet_failed', { eth_requestAccounts: () => [{ toString: () => account }] }],
    ['wallet_failed', { eth_requestAccounts: () => [`${account}00`] }],
    ['wallet_failed', { eth_requestAccounts: () => [`${account}\n`] }],
    ['wallet_failed', { personal_sign: () => 'signed' }],
    ['wallet_failed', { personal_sign: () => `0x${'zz'.repeat(65)}` }],
    ['wallet_failed', { personal_sign: () => signed.slice(0, -2) }],
    ['wallet_failed', { personal_sign: () => `${signed}\n` }],
    ['wallet_failed', { personal_sign: () => ({ length: 132 }) }],
    ['wallet_failed', { personal_sign: () => null }],
    ['wallet_unsupported', { personal_sign: () => `${signed}${'6492'.repeat(16)}` }],
  ])('%s on Ethereum', async (wanted, answers) => {
    const provider = new Provider(answers);
    expect(await code(signIn(sessions, ethereum(provider)))).toBe(wanted);
    expect(provider.listeners.size).toBe(0);
    expect(service.count('/sessions')).toBe(0);
  });

  it.each<[string, Parameters<typeof standard>[0]]>([
    ['wallet_rejected', { connect: () => { throw new Error('User rejected the request.'); } }],
    ['wallet_rejected', { sign: () => { throw Object.assign(new Error(''), { name: 'WalletSignMessageError', message: 'Approval Denied' }); } }],
    ['wallet_not_found', { connect: () => { throw Object.assign(new Error(), { name: 'WalletNotReadyError' }); } }],
    ['wallet_locked', { connect: () => ({ accounts: [] }) }],
    ['wallet_wrong_chain', { connect: () => ({ accounts: [{ ...ours, chains: ['sui:mainnet'] }] }) }],
    ['wallet_wrong_chain', { connect: () => ({ accounts: [{ ...ours, features: [] }] }) }],
    ['wallet_failed', { connect: () => undefined }],
    ['wallet_failed', { connect: () => ({ accounts: [{ ...ours, address: '0OIl'.repeat(10) }] }) }],
    ['wallet_failed', { connect: () => ({ accounts: [{ ...ours, address: solanaAddress.repeat(9) }] }) }],
    ['wallet_unsupported', { sign: (m) => [{ signedMessage: Uint8Array.of(255, ...m), signature: sixtyFour() }] }],
    ['wallet_failed', { sign: () => [{ signedMessage: new Uint8Array(8193), signature: sixtyFour() }] }],
    ['wallet_unsupported', { sign: () => [] }],
    ['wallet_failed', { sign: (m) => [{ signedMessage: m, signature: sixtyFour().slice(1) }] }],
    ['wallet_failed', { sign: (m) => [{ signedMessage: m, signature: new Uint8Array(65) }] }],
    ['wallet_failed', { sign: (m) => [{ signedMessage: m, signature: new Uint8Array(0) }] }],
    ['wallet_failed', { sign: (m) => [{ signedMessage: m, signature: { byteLength: 64, length: 2 ** 31 } }] }],
    ['wallet_failed', { sign: (m) => [{ signedMessage: m, signature: 'signed' }] }],
    ['wallet_failed', { sign: (m) => [{ signedMessage: m }] }],
  ])('%s on Solana', async (wanted, behaviour) => {
    const { wallet, listeners } = standard(behaviour);
    expect(await code(signIn(sessions, solana(wallet)))).toBe(wanted);
    expect(listeners.size).toBe(0);
    expect(service.count('/sessions')).toBe(0);
  });

  it('a wallet that changes the bytes it was given changes only its copy', async () => {
    const { wallet } = standard({ sign: (m) => { m[0] = 0; return [{ signedMessage: m, signature: sixtyFour() }]; } });
    expect(await code(signIn(sessions, solana(wallet)))).toBe('wallet_unsupported');
  });

  const key = Ed25519KeyIdentity.generate();
  const like = (change: object) => Object.assign(Object.create(key) as Ed25519KeyIdentity, { sign: (b: Uint8Array) => key.sign(b), getPublicKey: () => key.getPublicKey(), getPrincipal: () => key.getPrincipal() }, change);
  const link = { delegation: { pubkey: new Uint8Array(44), expiration: 1n }, signature: new Uint8Array(64) };
  it.each<[string, object]>([
    ['wallet_locked', { getPrincipal: () => ({ toText: () => '2vxsx-fae' }) }],
    ['wallet_failed', { getPrincipal: () => ({ toText: () => 'A'.repeat(63) }) }],
    ['wallet_failed', { getPrincipal: () => ({ toText: () => 'aaaaa-'.repeat(50) }) }],
    ['wallet_failed', { getPrincipal: () => null }],
    ['wallet_unsupported', { sign: undefined }],
    ['wallet_failed', { sign: () => { throw 'DONT USE SIGN FROM IDENTITY'; } }],
    ['wallet_failed', { sign: async () => new Uint8Array(6001) }],
    ['wallet_failed', { getPublicKey: () => ({ toDer: () => 'der' }) }],
    ['wallet_unsupported', { getDelegation: () => ({ publicKey: new Uint8Array(44), delegations: [{ ...link, delegation: { ...link.delegation, targets: [] } }] }) }],
    ['wallet_unsupported', { getDelegation: () => ({ publicKey: new Uint8Array(44), delegations: Array.from({ length: 21 }, () => link) }) }],
    ['wallet_failed', { getDelegation: () => ({ publicKey: new Uint8Array(44), delegations: [{ ...link, delegation: { pubkey: new Uint8Array(44), expiration: 'soon' } }] }) }],
    ['wallet_failed', { getDelegation: () => ({ publicKey: new Uint8Array(44), delegations: Array.from({ length: 20 }, () => ({ ...link, signature: new Uint8Array(6000) })) }) }],
  ])('%s of the Internet Computer', async (wanted, change) => {
    expect(await code(signIn(sessions, identity(like(change))))).toBe(wanted);
    expect(service.count('/sessions')).toBe(0);
  });

  it.each<[string, Wallet]>([
    ['wallet_not_found', ethereum(undefined)],
    ['wallet_not_found', ethereum({} as EthereumProvider)],
    ['wallet_not_found', solana(null)],
    ['wallet_not_found', plug()],
    ['wallet_unsupported', solana({ name: 'x' })],
    ['wallet_unsupported', solana({ name: 'x', chains: ['solana:mainnet'], features: {} })],
    ['wallet_locked', solana({ name: 'x', publicKey: null, signMessage: async () => sixtyFour() })],
  ])('%s where there is none, or none that can', async (wanted, wallet) => {
    expect(await code(signIn(sessions, wallet))).toBe(wanted);
  });

  it('and nothing of it is in the error but its code', async () => {
    const e = await soon(signIn(sessions, ethereum(new Provider({ personal_sign: thrown(-32603, `the account ${account}`) }))).catch((x: unknown) => x)) as SessionError;
    expect(JSON.stringify([e.message, e.details, String(e.cause)])).not.toContain(account.slice(2, 8));
    expect(e.details.reason).toBe('-32603');
    const named = (name: unknown) => soon(signIn(sessions, ethereum(new Provider({ personal_sign: () => { throw Object.assign(new Error('x'), { name }); } }))).catch((x: unknown) => (x as SessionError).details.reason));
    expect([await named('TypeError'), await named(`Error of ${account}`), await named('x'.repeat(31))]).toEqual(['TypeError', undefined, undefined]);
  });

  it('a name and an image: short, and fetched from nowhere', () => {
    expect(ethereum(null, { name: '  ', icon: 'https://tracker.test/a.png' })).toMatchObject({ name: 'Browser wallet', icon: undefined });
    expect(ethereum(null, { name: '\u202eksamateM\u200b\n' }).name).toBe('ksamateM');
    expect(ethereum(null, { name: 'x'.repeat(99), icon: 'javascript:alert(1)' })).toMatchObject({ name: 'x'.repeat(40), icon: undefined });
    expect(ethereum(null, { icon: 'data:text/html,<script>' }).icon).toBeUndefined();
    expect(ethereum(null, { icon: `data:image/png;base64,${'A'.repeat(100_000)}` }).icon).toBeUndefined();
    expect(solana(standard().wallet)).toMatchObject({ name: 'Standard', icon: 'data:image/png;base64,AA' });
  });
});

// --- meanwhile ---

describe('meanwhile', () => {
  it.each([['another account', ['0x0000000000000000000000000000000000000001']], ['no account', []]])('the wallet goes to %s: nothing is sent', async (_, now) => {
    const provider = new Provider({ personal_sign: never });
    const gone = code(signIn(sessions, ethereum(provider)));
    await until(() => provider.times('personal_sign') === 1);
    for (const f of provider.listeners) f([spelled]); // the same, in another spelling: nothing
    await settle();
    expect(provider.listeners.size).toBe(1);
    for (const f of provider.listeners) f(now);
    expect(await gone).toBe('wallet_wrong_account');
    expect([provider.listeners.size, service.count('/sessions')]).toEqual([0, 0]);
  });

  it('a Solana wallet goes to another account: nothing is sent', async () => {
    const { wallet, listeners, signMessage } = standard({ sign: never });
    const gone = code(signIn(sessions, solana(wallet)));
    await until(() => signMessage.mock.calls.length === 1);
    for (const f of listeners) { f({ chains: [] }); f({ accounts: [ours] }); }
    expect(listeners.size).toBe(1);
    for (const f of listeners) f({ accounts: [{ ...ours, address: 'another' }] });
    expect(await gone).toBe('wallet_wrong_account');
    expect([listeners.size, service.count('/sessions')]).toEqual([0, 0]);

    const adapter = { publicKey: { toString: () => solanaAddress }, async signMessage() { this.publicKey = { toString: () => `${solanaAddress}x` }; return sixtyFour(); } };
    expect(await code(signIn(sessions, solana(adapter)))).toBe('wallet_wrong_account');
  });

  it('a double click asks once, and both hear the answer', async () => {
    const provider = new Provider();
    const [a, b] = [signIn(sessions, ethereum(provider)), signIn(sessions, ethereum(provider))];
    expect(await soon(a)).toBe(await soon(b));
    expect([provider.times('eth_requestAccounts'), provider.times('personal_sign'), service.count('/sessions')]).toEqual([1, 1, 1]);
    await soon(signIn(sessions, ethereum(provider)));
    expect(service.count('/sessions')).toBe(2);
  });

  it('a wallet that presses the button itself asks once too', async () => {
    const provider: Provider = new Provider({ eth_requestAccounts: () => { inner ??= signIn(sessions, ethereum(provider)); return [account]; } });
    let inner: Promise<{ session_id: string }> | undefined;
    const data = await soon(signIn(sessions, ethereum(provider)));
    expect((await soon(inner ?? Promise.reject(new Error('not pressed')))).session_id).toBe(data.session_id);
    expect(service.count('/sessions')).toBe(1);
  });

  it('wallets without a source are told apart by themselves', async () => {
    const silent = { name: 'a', chain: 'icp', source: undefined, connect: never } as const;
    const first = code(signIn(sessions, silent));
    const second = code(signIn(sessions, { ...silent }));
    expect(await first).toBe('wallet_replaced');
    await vi.advanceTimersByTimeAsync(300_000);
    expect(await second).toBe('wallet_timeout');
  });

  it('another wallet is chosen: the first is given up, and its late answer is dropped', async () => {
    let answer: (signature: string) => void = () => undefined;
    const late = new Provider({ personal_sign: () => new Promise((done) => { answer = done; }) });
    const first = code(signIn(sessions, ethereum(late)));
    await until(() => late.times('personal_sign') === 1);
    const { wallet } = standard();
    await soon(signIn(sessions, solana(wallet)));
    expect(await first).toBe('wallet_replaced');
    answer(signed);
    await settle();
    expect(service.count('/sessions')).toBe(1);
    expect(presented().type).toBe('solana:ed25519');
    expect(late.listeners.size).toBe(0);
  });

  it('another wallet is chosen while the first credential is on its way: the later one counts', async () => {
    let release: () => void = () => undefined;
    service.always = async (seen, serve) => {
      if (seen.path === '/sessions' && service.count('/sessions') === 1) await new Promise<void>((done) => { release = done; });
      return serve();
    };
    const first = signIn(sessions, ethereum(new Provider()));
    await until(() => service.count('/sessions') === 1);
    const { wallet, signMessage } = standard();
    const second = signIn(sessions, solana(wallet));
    await until(() => signMessage.mock.calls.length === 1);
    await settle();
    expect(service.count('/sessions')).toBe(1); // it waits its turn
    release();
    await soon(first);
    const { session_id: id } = await soon(second);
    expect(sessions.getSnapshot().session?.session_id).toBe(id);
  });

  it('an abort counts at any time until the credential is sent', async () => {
    const reason = new Error('closed');
    expect(await code(signIn(sessions, ethereum(new Provider()), { signal: AbortSignal.abort(reason) }))).toBe(reason);
    for (const silent of ['eth_requestAccounts', 'personal_sign']) {
      const stop = new AbortController();
      const provider = new Provider({ [silent]: never });
      const gone = code(signIn(sessions, ethereum(provider), { signal: stop.signal }));
      await until(() => provider.times(silent) === 1);
      stop.abort(reason);
      expect(await gone).toBe(reason);
      await settle();
      expect(provider.listeners.size).toBe(0);
    }
    const stop = new AbortController();
    service.seen = [];
    service.always = (seen, serve) => (seen.path === '/challenge' ? never() : serve());
    const gone = code(signIn(sessions, ethereum(new Provider()), { signal: stop.signal }));
    await until(() => service.seen.at(-1)?.path === '/challenge');
    stop.abort();
    expect(await gone).toMatchObject({ name: 'AbortError' });
    expect(service.count('/sessions')).toBe(0);

    service.always = undefined;
    const sent = new AbortController();
    service.always = (seen, serve) => { if (seen.path === '/sessions') sent.abort(); return serve(); };
    await soon(signIn(sessions, ethereum(new Provider()), { signal: sent.signal }));
    expect(sessions.getSnapshot().status).toBe('authenticated');
  });

  it('one of two who wait may leave, and the other still hears', async () => {
    let answer: (signature: string) => void = () => undefined;
    const provider = new Provider({ personal_sign: () => new Promise((done) => { answer = done; }) });
    const stop = new AbortController();
    const wallet = ethereum(provider);
    const leaves = code(signIn(sessions, wallet, { signal: stop.signal }));
    const stays = signIn(sessions, wallet);
    await until(() => provider.times('personal_sign') === 1);
    stop.abort();
    expect(await leaves).toMatchObject({ name: 'AbortError' });
    answer(signed);
    await soon(stays);
    expect(service.count('/sessions')).toBe(1);
  });

  it('a wallet that never answers is given up after five minutes', async () => {
    for (const silent of ['eth_requestAccounts', 'personal_sign']) {
      const provider = new Provider({ [silent]: never });
      let told: unknown;
      void signIn(sessions, ethereum(provider)).catch((e: SessionError) => { told = e.code; });
      await until(() => provider.times(silent) === 1);
      await pass(299_000);
      expect(told).toBeUndefined();
      await pass(2000);
      await until(() => told !== undefined);
      expect(told).toBe('wallet_timeout');
      expect(provider.listeners.size).toBe(0);
    }
  });

  it('a wallet that breaks when it is left alone does no harm', async () => {
    const provider = new Provider();
    provider.removeListener = () => { throw new Error('broken'); };
    await soon(signIn(sessions, ethereum(provider)));
    expect(sessions.getSnapshot().status).toBe('authenticated');
  });
});

// --- once more ---

describe('reauthentication', () => {
  it('asks for the text of the session, and renews it', async () => {
    const m = await signedIn();
    service.account = { chain: 'ethereum', address: spelled };
    await soon(reauthenticate(m, ethereum(new Provider())));
    const asked = service.last('/challenge');
    expect(asked.body).toEqual({ purpose: 'reauthenticate' });
    expect(asked.headers.get('Session-CSRF')).toMatch(/^csrf-/);
    expect(read(service.last('/sessions/reauthenticate').body['credential'] as string).message).toContain(spelled);
  });

  it('signs nothing with an account that is not the session\u2019s', async () => {
    const m = await signedIn();
    service.account = { chain: 'ethereum', address: `0x${'1'.repeat(40)}` };
    const provider = new Provider();
    expect(await code(reauthenticate(m, ethereum(provider)))).toBe('wallet_wrong_account');
    expect(provider.times('personal_sign')).toBe(0);
    expect(service.count('/sessions/reauthenticate')).toBe(0);
  });

  it('signs nothing with a wallet of another chain than the session\u2019s', async () => {
    const m = await signedIn();
    service.account = { chain: 'solana', address: solanaAddress };
    const provider = new Provider();
    expect(await code(reauthenticate(m, ethereum(provider)))).toBe('wallet_wrong_account');
    expect(provider.times('personal_sign')).toBe(0);
  });

  it('signs no text of another type than the session', async () => {
    const m = await signedIn();
    service.account = { chain: 'ethereum', address: spelled };
    service.always = async (seen, serve) => (seen.path === '/challenge' ? new Response((await serve().text()).replaceAll('session:standard', 'session:professional'), { headers: { 'Content-Type': 'application/json' } }) : serve());
    expect(await code(reauthenticate(m, ethereum(new Provider())))).toBe('challenge_untrusted');
  });

  it('proves nothing to a session that another has begun meanwhile', async () => {
    const m = await signedIn();
    service.account = { chain: 'ethereum', address: spelled };
    let answer: (signature: string) => void = () => undefined;
    const provider = new Provider({ personal_sign: () => new Promise((done) => { answer = done; }) });
    const asked = code(reauthenticate(m, ethereum(provider)));
    await until(() => provider.times('personal_sign') === 1);
    await soon(m.createSession({ signature: 'another' }));
    answer(signed);
    expect(await asked).toBe('wallet_wrong_account');
    expect(service.count('/sessions/reauthenticate')).toBe(0);
  });

  it('tells what the service and the network did', async () => {
    const m = await signedIn();
    service.faults = [() => refusal(429, 'rate_limited')];
    expect(await code(reauthenticate(m, ethereum(new Provider())))).toBe('rate_limited');
    service.faults = [() => { throw new TypeError('lost'); }];
    expect(await code(reauthenticate(m, ethereum(new Provider())))).toBe('network_error');
    service.faults = [() => new Response('<p>Welcome to our hotel', { headers: { 'Content-Type': 'text/html' } })];
    expect(await code(reauthenticate(m, ethereum(new Provider())))).toBe('network_error');
    service.faults = [() => json(200, { success: true })];
    expect(await code(reauthenticate(m, ethereum(new Provider())))).toBe('network_error');
    expect(m.getSnapshot().status).toBe('authenticated');
  });

  it('gives a credential to useReauthentication too', async () => {
    const m = await signedIn();
    service.account = { chain: 'ethereum', address: spelled };
    const auth = await soon(credential(m, ethereum(new Provider()), { purpose: 'reauthenticate' }));
    await soon(m.reauthenticate(auth));
    expect(service.count('/sessions/reauthenticate')).toBe(1);
  });
});
