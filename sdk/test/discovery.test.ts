import { beforeEach, afterEach, describe, expect, it, vi } from 'vitest';
import { discover } from '../src/wallets/index.js';
import type { Discovery, StandardWallet } from '../src/wallets/index.js';
import { checksum } from '../src/wallets/eip55.js';

const standard = (name: string, change: object = {}): StandardWallet => ({ name, chains: ['solana:mainnet'], features: { 'standard:connect': {}, 'solana:signMessage': {} }, ...change });
const provider = () => ({ request: async () => [] });
const announce = (detail: unknown) => { window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail })); };
const info = (name: string) => ({ uuid: name, name, icon: 'data:image/svg+xml,<svg/>', rdns: 'test.wallet' });

type Api = { register(...wallets: unknown[]): () => void };
/** Registers as wallets do, whether the page or the wallet was first. */
function register(...wallets: unknown[]): { unregister: () => void; api: () => Api } {
  let api: Api | undefined;
  let undo: () => void = () => undefined;
  const callback = (a: Api) => { api = a; undo = a.register(...wallets); };
  on('wallet-standard:app-ready', (e) => { callback((e as CustomEvent<Api>).detail); });
  window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: callback }));
  return { unregister: () => { undo(); }, api: () => api as Api };
}

const undo: (() => void)[] = [];
function on(kind: string, f: (e: Event) => void): void {
  window.addEventListener(kind, f);
  undo.push(() => { window.removeEventListener(kind, f); });
}
const names = (d: Discovery) => d.getSnapshot().map((w) => w.name);

let listening: string[]; // kinds of events that the code listens for
beforeEach(() => {
  listening = [];
  const [add, remove] = [window.addEventListener.bind(window), window.removeEventListener.bind(window)];
  vi.spyOn(window, 'addEventListener').mockImplementation((kind: string, ...rest: unknown[]) => { listening.push(kind); add(kind, ...(rest as [() => void])); });
  vi.spyOn(window, 'removeEventListener').mockImplementation((kind: string, ...rest: unknown[]) => { listening.splice(listening.indexOf(kind), 1); remove(kind, ...(rest as [() => void])); });
});
afterEach(() => {
  for (const f of undo.splice(0)) f();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe('wallets are found', () => {
  it('whether they were here before the page, or come late', () => {
    const early = provider();
    on('eip6963:requestProvider', () => { announce({ info: info('Early'), provider: early }); announce({ info: info('Early'), provider: early }); });
    register(standard('Before'));
    const d = discover();
    expect(names(d)).toEqual([]);
    let told = 0;
    const stop = d.subscribe(() => { told++; });
    expect(names(d)).toEqual(['Early', 'Before']);
    expect(told).toBe(1);
    const first = d.getSnapshot();
    announce({ info: info('Early'), provider: provider() }); // some make another object each time
    expect(d.getSnapshot()).toBe(first);
    announce({ info: info('Late'), provider: provider() });
    const { unregister } = register(standard('Later'));
    expect(names(d)).toEqual(['Early', 'Before', 'Late', 'Later']);
    expect(d.getSnapshot()[2]).toMatchObject({ chain: 'ethereum', icon: 'data:image/svg+xml,<svg/>' });
    unregister();
    expect(names(d)).toEqual(['Early', 'Before', 'Late']);
    expect(told).toBe(4);
    stop();
  });

  it('and stay the same objects while somebody listens, and after', () => {
    on('eip6963:requestProvider', () => { announce({ info: info('A'), provider: a }); });
    const a = provider();
    const d = discover();
    const stop = d.subscribe(() => undefined);
    const before = d.getSnapshot();
    stop();
    const again = d.subscribe(() => { throw new Error('nothing has changed'); });
    expect(d.getSnapshot()).toBe(before);
    again();
  });

  it('and those that are gone when somebody listens again are gone', () => {
    const d = discover();
    const stop = d.subscribe(() => undefined);
    announce({ info: info('Gone'), provider: provider() });
    stop();
    expect(names(d)).toEqual(['Gone']);
    d.subscribe(() => undefined)();
    expect(names(d)).toEqual([]);
  });

  it('what stands in window counts for a chain on which nobody tells of themselves', () => {
    const own = provider();
    vi.stubGlobal('ethereum', own);
    vi.stubGlobal('solana', { signMessage: async () => undefined });
    vi.stubGlobal('ic', { plug: { requestConnect: async () => undefined } });
    const d = discover();
    const stop = d.subscribe(() => undefined);
    expect(d.getSnapshot().map((w) => [w.name, w.chain])).toEqual([['Browser wallet', 'ethereum'], ['Browser wallet', 'solana'], ['Plug', 'icp']]);
    register(standard('Standard'));
    announce({ info: info('Announced'), provider: own });
    expect(names(d)).toEqual(['Standard', 'Announced', 'Plug']);
    stop();
  });

  it('only those that can sign a text on a chain that is served', () => {
    const d = discover();
    const stop = d.subscribe(() => undefined);
    register(standard('Another chain', { chains: ['sui:mainnet'] }), standard('Cannot sign', { features: { 'standard:connect': {} } }), standard('Cannot connect', { features: { 'solana:signMessage': {} } }));
    expect(names(d)).toEqual([]);
    stop();
  });
});

describe('hostile wallets', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined], ['a word', 'wallet'], ['no provider', { info: info('x') }], ['no request', { info: info('x'), provider: {} }],
    ['a trap', { info: info('x'), get provider() { throw new Error('a trap'); } }],
    ['a trap in the provider', { info: info('x'), provider: { get request() { throw new Error('a trap'); } } }],
    ['no information', { provider: { request: 7 } }],
  ])('announce %s, and are no wallets', (_, detail) => {
    const d = discover();
    const stop = d.subscribe(() => undefined);
    announce(detail);
    expect(names(d)).toEqual([]);
    announce({ info: info('Honest'), provider: provider() });
    expect(names(d)).toEqual(['Honest']);
    stop();
  });

  it('register traps, and the page goes on', () => {
    const d = discover();
    const stop = d.subscribe(() => undefined);
    window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: () => { throw new Error('a trap'); } }));
    window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: 'not a function' }));
    register({ get chains() { throw new Error('a trap'); } });
    register(null);
    expect(names(d)).toEqual([]);
    const { api } = register(standard('Honest'));
    expect(Object.isFrozen(api())).toBe(true);
    expect(names(d)).toEqual(['Honest']);
    stop();
  });

  it('stand in window as a trap', () => {
    vi.stubGlobal('ethereum', { get request() { throw new Error('a trap'); } });
    const d = discover();
    d.subscribe(() => undefined)();
    expect(names(d)).toEqual([]);
  });

  it('come by the thousand, and fifty are shown', () => {
    const d = discover();
    const stop = d.subscribe(() => undefined);
    for (let i = 0; i < 1000; i++) announce({ info: info(`${i}`), provider: provider() });
    expect(d.getSnapshot().length).toBe(50);
    stop();
  });

  it('call themselves what they like, as short text', () => {
    const d = discover();
    const stop = d.subscribe(() => undefined);
    announce({ info: { ...info('x'.repeat(500)), icon: 'https://tracker.test/' }, provider: provider() });
    announce({ info: { uuid: undefined, name: { toString: () => 'x' }, icon: 7 }, provider: provider() });
    expect(d.getSnapshot().map((w) => [w.name, w.icon])).toEqual([['x'.repeat(40), undefined], ['Browser wallet', undefined]]);
    stop();
  });
});

describe('listening', () => {
  it('begins with the first listener and ends with the last', () => {
    const d = discover();
    expect(listening).toEqual([]);
    const [one, two] = [d.subscribe(() => undefined), d.subscribe(() => undefined)];
    expect(listening.sort()).toEqual(['eip6963:announceProvider', 'wallet-standard:register-wallet']);
    one();
    one();
    expect(listening.length).toBe(2);
    two();
    expect(listening).toEqual([]);
  });

  it('and afterwards a wallet that kept the page\u2019s interface adds nothing', () => {
    const d = discover();
    const stop = d.subscribe(() => undefined);
    const { api, unregister } = register(standard('Known'));
    stop();
    const before = d.getSnapshot();
    api().register(standard('Late'))();
    unregister();
    expect(d.getSnapshot()).toBe(before);
  });

  it('asks nothing on a server', () => {
    vi.stubGlobal('window', undefined);
    const d = discover();
    d.subscribe(() => undefined)();
    expect(d.getSnapshot()).toEqual([]);
  });

  it('goes on for the others when a listener throws', () => {
    vi.useFakeTimers();
    const d = discover();
    const stop = d.subscribe(() => { throw new Error('broken'); });
    let told = 0;
    const other = d.subscribe(() => { told++; });
    announce({ info: info('A'), provider: provider() });
    expect([told, names(d)]).toEqual([1, ['A']]);
    expect(() => vi.runAllTimers()).toThrow('broken');
    vi.useRealTimers();
    stop();
    other();
  });
});

// The examples of EIP-55.
it.each([
  '0x52908400098527886E0F7030069857D2E4169EE7', '0x8617E340B3D01FA5F11F306F4090FD50E238070D', '0xde709f2102306220921060314715629080e2fb77', '0x27b1fdb04752bbc536007a920d24acb045561c26',
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359', '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB', '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
])('the one spelling of %s', (address) => {
  expect(checksum(address.toLowerCase())).toBe(address);
  expect(checksum(`0x${address.slice(2).toUpperCase()}`)).toBe(address);
});
