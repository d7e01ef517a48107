import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AnonymousDevice } from '../src/anonymous/index.js';
import type { AnonymousConfig, Stage } from '../src/anonymous/index.js';
import { pinned, totalSize } from '../src/anonymous/artifacts.js';
import { seal, unseal, write } from '../src/anonymous/key.js';
import { enrolScopeOf, messageOf, scopeOf } from '../src/anonymous/values.js';
import { MemoryStorage, SessionManager } from '../src/index.js';
import { Members, ToyProver, api, epochLength, message, noon, scope, stranger } from './members.js';
import type { Seen } from './members.js';

const beside = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)));

vi.setConfig({ testTimeout: 120_000 }); // a busy machine takes long for a passphrase's rounds

const passphrase = 'correct horse bättery staple';
let service: Members;
let stages: Stage[];
const managers: SessionManager[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: noon });
  vi.stubGlobal('indexedDB', new IDBFactory());
  vi.stubGlobal('IDBKeyRange', IDBKeyRange);
  vi.stubGlobal('fetch', (input: RequestInfo, init?: RequestInit) => service.fetch(input, init));
  service = new Members();
  stages = [];
  ToyProver.all = [];
  ToyProver.broken = undefined;
});

afterEach(() => {
  for (const m of managers.splice(0)) m.dispose();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A page's device; pages that are in one browser share its database. */
const device = (config: Partial<AnonymousConfig> = {}) => new AnonymousDevice({
  apiUrl: api, storage: 'memory', minMembers: 1, worker: () => new ToyProver() as unknown as Worker, onProgress: (stage) => { stages.push(stage); }, ...config,
});

async function manager(named = false): Promise<SessionManager> {
  const m = new SessionManager({ apiUrl: api, storage: new MemoryStorage(), events: false, trackActivity: false });
  managers.push(m);
  const end = new Date(Date.now() + 3_600_000).toISOString();
  if (named) await m.storeSession({ session_id: 'sess_n', session_type: 'standard', permissions: [], expires_at: end, idle_expires_at: end, session_expires_at: end, session_token: 'st.named', refresh_token: 'rt_named', expires_in: 3600, refresh_at: null });
  return m;
}

/** Lets time pass and publishes. */
function publish(m = service): void {
  vi.setSystemTime(Date.now() + 600_000);
  m.publish();
}

function grow(m: Members, n: number): void {
  m.strangers(n);
  publish(m);
}

/** A device that is a member among n strangers, and has seen the group. */
async function member(n = 3, config: Partial<AnonymousConfig> = {}): Promise<AnonymousDevice> {
  grow(service, n);
  const d = device(config);
  await d.create();
  await d.enrol(await manager(true));
  publish();
  expect((await d.look()).entered).toBe(true);
  service.seen = [];
  ToyProver.all = [];
  return d;
}

const code = (p: Promise<unknown>): Promise<string> => p.then(() => 'nothing', (e: unknown) => (e as { code?: string }).code ?? String(e));

describe('the values', () => {
  it('are those that the service computes', async () => {
    const made = JSON.parse(beside('../../anonymous/testdata/proofs.json').toString()) as { service: string; nonce: string; epoch: number; signIn: { scope: string; message: string }; enrolment: { scope: string } };
    expect(await scopeOf(made.service, made.epoch)).toBe(made.signIn.scope);
    expect(await messageOf(made.service, made.nonce)).toBe(made.signIn.message);
    expect(await enrolScopeOf(made.service, made.nonce)).toBe(made.enrolment.scope);
  });

  it('of the files are those of the repository', () => {
    const sums = ['prover', 'semaphore-20'].map((f) => beside(`../../anonymous/artifacts/${f}.sha256`).toString()).join('');
    for (const [file, digest] of [['prover.wasm', pinned.prover], ['semaphore-20.wasm', pinned.circuit], ['semaphore-20.zkey', pinned.key]]) {
      expect(sums).toContain(`${digest}  ${file}`);
    }
    const unpacked = ['prover.wasm', 'semaphore-20.wasm', 'semaphore-20.zkey'].map((f) => beside(`../../anonymous/artifacts/${f}.gz`).subarray(-4).readUInt32LE() /* RFC 1952: ISIZE */);
    expect(totalSize).toBe(unpacked.reduce((a, b) => a + b));
  });
});

describe('a member', () => {
  it('enrols under a name and signs in under none', async () => {
    grow(service, 3);
    const d = device();
    expect(await d.hasIdentity()).toBe(false);
    await d.create();
    expect(await d.hasIdentity()).toBe(true);
    expect(await d.enrol(await manager(true))).toBe('waiting');
    expect(await code(d.signIn(await manager()))).toBe('not_member');
    const [challenge, enrolment] = [service.calls('/challenge')[0], service.calls('/anonymous/members')[0]];
    for (const named of [challenge, enrolment]) expect(named?.headers.get('Authorization')).toBe('Bearer st.named');
    expect(enrolment?.body?.['commitment']).toMatch(/^\d+$/);

    publish();
    service.seen = [];
    stages = [];
    const m = await manager();
    const data = await d.signIn(m);
    expect(data.session_type).toBe('anonymous');
    expect(m.getSnapshot()).toMatchObject({ status: 'authenticated' });
    expect([...new Set(stages)]).toEqual(['loading', 'group', 'pages', 'proving', 'sending']);
    expect(service.seen.map((s) => `${s.method} ${s.path.replace(/\d{5,}/, 'ROOT')}`)).toEqual([
      'GET /anonymous/group', 'GET /anonymous/roots', 'GET /anonymous/group', 'GET /anonymous/pages/ROOT', 'POST /challenge', 'POST /sessions',
    ]);
    for (const s of service.seen) {
      expect(s.credentials).toBe('omit');
      if (s.path !== '/sessions') expect(s.headers.get('Authorization')).toBeNull();
    }
    expect(service.seen.at(-1)?.body).toEqual({ session_type: 'anonymous', transport: 'header', activity: 'reported' });
    const credential = JSON.parse(Buffer.from(service.seen.at(-1)?.headers.get('Authorization')?.slice(7) ?? '', 'base64url').toString()) as Record<string, unknown>;
    expect(Object.keys(credential)).toEqual(['v', 'type', 'challenge', 'proof']);
    expect(Object.keys(credential['proof'] as object)).toEqual(['merkleTreeDepth', 'merkleTreeRoot', 'nullifier', 'message', 'scope', 'points']);
    expect(ToyProver.all.every((w) => w.stopped)).toBe(true);
  });

  it('runs nothing but the pinned files, from where the page says', async () => {
    for (const [artifacts, files] of [
      [undefined, `${api}/auth/anonymous/artifacts/`],
      ['https://cdn.test/files', 'https://cdn.test/files/'],
      [new URL('https://cdn.test/files/'), 'https://cdn.test/files/'],
    ] as const) {
      ToyProver.all = [];
      await device({ ...(artifacts && { artifacts }) }).create();
      expect(ToyProver.all[0]?.started).toEqual({ prover: files + pinned.prover, circuit: files + pinned.circuit, key: files + pinned.key, size: totalSize, digests: pinned });
    }
    await device({ artifacts: { prover: 'https://cdn.test/a', circuit: 'https://cdn.test/b', key: new URL('https://cdn.test/c') } }).create();
    expect(ToyProver.all[1]?.started).toMatchObject({ prover: 'https://cdn.test/a', circuit: 'https://cdn.test/b', key: 'https://cdn.test/c' });
  });

  it('asks only for pages that have changed, and counts each member once', async () => {
    const many = Array.from({ length: 2 * 4096 + 3 }, stranger);
    service.join(...many);
    service.publish();
    const d = await member(0);
    expect((await d.look()).members).toBe(many.length + 1);
    expect(service.calls('/anonymous/pages')).toHaveLength(0);
    service.replace(5000, stranger());
    service.replace(5001, '0');
    grow(service, 1);
    expect((await d.look()).members).toBe(many.length + 1);
    expect(service.calls('/anonymous/pages')).toHaveLength(2); // the one in the middle, and the last
    service.replace(5002, many[0] ?? '');
    publish();
    expect((await d.look()).members).toBe(many.length);
  });

  it('hides in no crowd that is smaller than the page wants, whoever says how many there are', async () => {
    const d = await member(1, { minMembers: 3 });
    service.lies.push({ path: '/anonymous/group', change: (g) => { g['members'] = 1000; } });
    expect(await code(d.signIn(await manager()))).toBe('group_small');
    expect(service.calls('/challenge')).toHaveLength(0);
    const one = stranger();
    service.join(one, one, one, '0');
    publish();
    expect(await code(d.signIn(await manager()))).toBe('nothing');
    const wants20 = device({ minMembers: undefined as never });
    await wants20.restore(await d.reveal());
    expect(await code(wants20.signIn(await manager()))).toBe('group_small');
  });

  it('leaves under a name', async () => {
    const d = await member();
    expect(await d.leave(await manager(true))).toBe('leaving');
    expect(service.calls('/anonymous/members')[0]).toMatchObject({ method: 'DELETE' });
    expect(await d.hasIdentity()).toBe(true);
    for (const status of ['<img>', 5, undefined]) {
      service.lies = [{ path: '/anonymous/members', change: () => ({ status }) }];
      expect(await code(d.leave(await manager(true)))).toBe('group_invalid');
    }
  });

  it('tries again when the epoch turned between the group and the challenge, and not for ever', async () => {
    const d = await member();
    vi.setSystemTime(686 * epochLength * 1000 - 1000);
    let turns = 1;
    service.lies.push({ path: '/challenge', change: (c) => { if (turns-- > 0) { vi.setSystemTime(686 * epochLength * 1000 + 1000); c['epoch'] = 686; c['scope'] = scope(service.service, 686); service.publish(); } } });
    expect(await code(d.signIn(await manager()))).toBe('nothing');
    expect(service.calls('/challenge')).toHaveLength(2);
    service.lies = [{ path: '/challenge', change: (c) => { c['epoch'] = 685; c['scope'] = scope(service.service, 685); } }];
    service.seen = [];
    expect(await code(d.signIn(await manager()))).toBe('epoch_turned');
    expect(service.calls('/challenge')).toHaveLength(3);
  });

  it('goes to no other service than that of the manager', async () => {
    const d = await member();
    const other = new SessionManager({ apiUrl: 'https://other.test/api', storage: new MemoryStorage(), events: false, trackActivity: false });
    managers.push(other);
    for (const p of [() => d.signIn(other), () => d.enrol(other), () => d.leave(other)]) expect(await code(p())).toBe('manager_invalid');
    expect(service.seen).toEqual([]);
    const cookies = new SessionManager({ apiUrl: api, transport: 'cookie', events: false, trackActivity: false });
    managers.push(cookies);
    expect(await code(d.signIn(cookies))).toBe('invalid_request');
    expect(service.calls('/sessions').filter((s) => s.method === 'POST')).toEqual([]);
  });

  it('passes the service\'s own refusals on', async () => {
    const d = await member();
    service.closed = true;
    expect(await code(d.signIn(await manager()))).toBe('unavailable');
    service.closed = false;
    for (const [path, refusal] of [['/challenge', [429, 'rate_limited']], ['/sessions', [401, 'credential_invalid']], ['/anonymous/pages', [404, 'not_found']]] as const) {
      service.refusals = { [path]: [...refusal] };
      if (path === '/anonymous/pages') grow(service, 1);
      expect(await code(d.signIn(await manager()))).toBe(refusal[1]);
    }
    service.refusals = {};
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('gone')));
    expect(await code(d.look())).toBe('network_error');
    for (const body of ['<html>', '[]', '{"success":true}', '{"success":true,"data":[]}', '{"success":false,"data":{}}', '']) {
      for (const status of [200, 502]) {
        vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { status })));
        expect(await code(d.look())).toBe('network_error');
      }
    }
  });

  it('stops when the page says so, and its worker with it', async () => {
    const d = await member();
    const stop = new AbortController();
    service.lies.push({ path: '/challenge', change: () => { stop.abort(new Error('enough')); } });
    expect(await code(d.signIn(await manager(), { signal: stop.signal }))).toBe('Error: enough');
    expect(ToyProver.all.every((w) => w.stopped)).toBe(true);
    expect(service.calls('/sessions')).toEqual([]);
    service.seen = [];
    for (const p of [() => d.look({ signal: stop.signal }), async () => d.signIn(await manager(), { signal: stop.signal }), async () => d.enrol(await manager(true), { signal: stop.signal })]) expect(await code(p())).toBe('Error: enough');
    expect(service.seen).toEqual([]);
    expect(ToyProver.proofs).toBe(0);
  });

  it('hears from the prover that it failed, and not what of', async () => {
    const d = await member();
    const { secret } = { secret: await d.reveal() };
    for (const [broken, want] of [['start', 'prover_unavailable'], ['commitment', 'prover_failed'], ['prove', 'prover_failed']]) {
      ToyProver.broken = broken;
      const e = await d.signIn(await manager()).catch((e: unknown) => e) as Error;
      expect([(e as { code?: string } & Error).code, e.cause]).toEqual([want, undefined]);
      expect(e.message).not.toMatch(/broken|\d{4}/);
      expect(JSON.stringify(e) + e.stack).not.toContain(secret);
    }
    ToyProver.broken = undefined;
    const dies = device({ worker: () => { const w = new ToyProver(); queueMicrotask(() => w.onerror?.()); w.postMessage = () => undefined; return w as unknown as Worker; } });
    expect(await code(dies.create())).toBe('prover_unavailable');
    const refuses = device({ worker: () => { throw new DOMException('policy', 'SecurityError'); } });
    expect(await code(refuses.create())).toBe('prover_unavailable');
    expect(await code(device({ artifacts: 'https://[' }).create())).toBe('prover_unavailable');
  });
});

describe('a service that lies gets no proof', () => {
  const flip = (text: unknown) => (String(text).startsWith('A') ? 'B' : 'A') + String(text).slice(1);
  const another = (generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) as { x: string }).x;
  type Change = (data: Record<string, unknown>, seen: Seen) => unknown;
  const at = (path: string) => (change: Change) => () => { service.lies.push({ path, change }); };
  const challenge = at('/challenge');
  const group = at('/anonymous/group');
  const page = (change: (members: unknown[]) => unknown) => () => {
    grow(service, 1); // so that a page is asked for
    at('/anonymous/pages/')((p) => ({ ...p, members: change(p['members'] as unknown[]) }))();
  };
  const list = (change: (roots: unknown[]) => unknown) => () => {
    for (let i = 0; i < 3; i++) grow(service, 1);
    at('/anonymous/roots')((l) => ({ ...l, roots: change(l['roots'] as unknown[]) }))();
  };
  const app = 'app.example.com';
  const blown = (most: number): Change => (data) => { data['more'] = 'x'.repeat(most + 1); };
  const fork = (after: (f: Members) => void) => async (d: AnonymousDevice) => {
    const f = service.fork();
    grow(service, 1);
    await d.look();
    after(f);
    service = f;
  };

  const lies: Record<string, [(d: AnonymousDevice) => void | Promise<void>, string]> = {
    "an older epoch's scope": [challenge((c) => { c['scope'] = scope(app, 684); }), 'challenge_refused'],
    "another service's scope": [challenge((c) => { c['scope'] = scope('x', 685); }), 'challenge_refused'],
    'no scope': [challenge((c) => { delete c['scope']; }), 'challenge_refused'],
    'a scope that is no text': [challenge((c) => { c['scope'] = [c['scope']]; }), 'challenge_refused'],
    'another message': [challenge((c) => { c['message'] = '1'; }), 'challenge_refused'],
    'another nonce': [challenge((c) => { c['nonce'] = 'n'; }), 'challenge_refused'],
    'no nonce': [challenge((c) => { c['nonce'] = ''; }), 'challenge_refused'],
    'a nonce that is no name': [challenge((c) => { c['nonce'] = 'a b'; c['message'] = message(app, 'a b'); }), 'challenge_refused'],
    'a nonce without end': [challenge((c) => { c['nonce'] = 'n'.repeat(256); c['message'] = message(app, 'n'.repeat(256)); }), 'challenge_refused'],
    'a later epoch': [challenge((c) => { c['epoch'] = 686; c['scope'] = scope(app, 686); }), 'challenge_refused'],
    'an older epoch': [challenge((c) => { c['epoch'] = 684; c['scope'] = scope(app, 684); }), 'challenge_refused'],
    'no epoch': [challenge((c) => { delete c['epoch']; }), 'challenge_refused'],
    'a negative epoch': [challenge((c) => { c['epoch'] = -1; }), 'challenge_refused'],
    'a half epoch': [challenge((c) => { c['epoch'] = 685.5; }), 'challenge_refused'],
    'an epoch in words': [challenge((c) => { c['epoch'] = '685'; }), 'challenge_refused'],
    "the neighbour's epoch beside the turn": [() => {
      vi.setSystemTime(686 * epochLength * 1000 - 3_600_000);
      challenge((c) => { c['epoch'] = 686; c['scope'] = scope(app, 686); })();
    }, 'epoch_turned'],
    'a challenge without end': [challenge(blown(1 << 16)), 'network_error'],

    'another history': [fork((f) => { grow(f, 2); grow(f, 3); }), 'group_forked'],
    'another history of the same length': [fork((f) => { grow(f, 2); }), 'group_forked'],
    'an older group': [fork(() => undefined), 'group_forked'],
    'a group of one': [fork((f) => { f.members.length = 0; f.strangers(1); publish(f); publish(f); }), 'group_forked'],
    'nobody any more': [group((g) => { g['size'] = 0; g['signature'] = ''; }), 'group_invalid'],
    'a gap': [list((roots) => roots.slice(-1)), 'group_forked'],
    'a gap in between': [list((roots) => roots.filter((_, i) => i !== 1)), 'group_forked'],
    'another order': [list((roots) => [...roots].reverse()), 'group_forked'],
    'a hidden list': [list(() => []), 'group_forked'],
    'a list of nonsense': [list(() => ['x']), 'group_invalid'],
    'no list': [list(() => null), 'group_invalid'],
    'a list of too many': [list((roots) => (roots.length ? Array.from({ length: 1001 }, () => roots[0]) : roots)), 'group_invalid'],
    'a list that never ends': [() => { list((roots) => roots)(); at('/anonymous/roots')(blown(1 << 20))(); }, 'network_error'],
    'a signed root 0': [() => { service.publish({ root: '0' }); }, 'group_invalid'],
    'a snapshot that follows another': [() => { service.publish({ previous: 'A'.repeat(42) + 'E' }); }, 'group_forked'],
    'a group that shrinks within its epoch': [() => { service.publish({ size: 2 }); }, 'group_forked'],
    'an epoch that runs back': [() => { service.publish({ epoch: 684 }); }, 'group_forked'],
    'a time that runs back': [() => { service.publish({ created_at: '2026-01-01T00:00:00Z' }); }, 'group_forked'],
    'a time that is too fine': [() => { service.publish({ created_at: new Date(Math.floor(Date.now() / 300_000) * 300_000 + 1000).toISOString().replace('.000', '') }); }, 'group_invalid'],
    'a snapshot of the future': [() => {
      const now = Date.now();
      vi.setSystemTime(now + 25 * 3_600_000);
      grow(service, 1);
      vi.setSystemTime(now);
    }, 'clock_wrong'],
    'a list signed by another': [() => {
      service.strangers(1);
      vi.setSystemTime(Date.now() + 600_000);
      service.publish({}, generateKeyPairSync('ed25519').privateKey);
    }, 'group_invalid'],
    'a list of another service': [() => { list((roots) => roots)(); at('/anonymous/roots')((l) => { l['service_id'] = 'x'; })(); }, 'service_changed'],

    'another key': [group((g) => { g['key'] = another; }), 'service_changed'],
    'another service id': [group((g) => { g['service_id'] = 'app.example.org'; }), 'service_changed'],
    'another epoch length': [group((g) => { g['epoch_length'] = 86_400; }), 'service_changed'],
    'no epoch length': [group((g) => { g['epoch_length'] = 0; }), 'group_invalid'],
    'an epoch without end': [group((g) => { g['epoch_length'] = Number.MAX_SAFE_INTEGER; }), 'group_invalid'],
    'no key': [group((g) => { g['key'] = ''; }), 'group_invalid'],
    'a group without end': [group(blown(1 << 16)), 'network_error'],
    'another size': [group((g) => { g['size'] = 5; }), 'group_invalid'],
    'another root': [group((g) => { g['root'] = '5'; }), 'group_invalid'],
    'another signature': [group((g) => { g['signature'] = flip(g['signature']); }), 'group_invalid'],
    'root 0': [group((g) => { g['root'] = '0'; }), 'group_invalid'],
    "a root's alias": [group((g) => { g['root'] = `0${String(g['root'])}`; }), 'group_invalid'],
    'a group ahead of the list': [group((g) => { g['number'] = 9; }), 'group_invalid'],
    'other pages': [group((g) => { g['page_roots'] = ['5']; }), 'not_found'],
    'a page more': [group((g) => { g['page_roots'] = [...g['page_roots'] as string[], '5']; }), 'group_invalid'],
    'no pages': [group((g) => { g['page_roots'] = []; }), 'group_invalid'],
    'pages that are none': [group((g) => { g['page_roots'] = ['x']; }), 'group_invalid'],
    "a page elsewhere on the service": [group((g) => { g['page_roots'] = ['../../sessions?x=']; }), 'group_invalid'],
    'a page of others': [page(([, ...rest]) => ['5', ...rest]), 'group_invalid'],
    'a member left out': [page(([, ...rest]) => rest), 'group_invalid'],
    'a member more': [page((m) => [...m, '0']), 'group_invalid'],
    'a page of its root': [page(() => ['5']), 'group_invalid'],
    'an empty page': [page(() => []), 'group_invalid'],
    'no page': [page(() => null), 'group_invalid'],
    'a page in another spelling': [page(([first, ...rest]) => [`0${String(first)}`, ...rest]), 'group_invalid'],
    'a page of numbers': [page((m) => m.map(Number)), 'group_invalid'],
    'a page of members and blocks': [page(([, ...rest]) => ['9'.repeat(1 << 19), ...rest]), 'network_error'],
  };

  it.each(Object.entries(lies))('%s', async (_, [tell, want]) => {
    const d = await member();
    const honest = service;
    await tell(d);
    const lists = [...honest.list];
    service.seen = [];
    expect(await code(d.signIn(await manager()))).toBe(want);
    expect(ToyProver.proofs).toBe(0);
    expect(service.calls('/sessions')).toEqual([]);
    // Nothing of the lie was kept: the honest history goes on from here.
    service = honest;
    service.lies = [];
    const known = (await d.known())?.number ?? 0;
    service.list = lists.slice(0, Math.max(known + 1, 2));
    publish();
    expect((await d.look()).entered).toBe(true);
  });

  it.each(Object.entries({
    "an epoch's scope": (c: Record<string, unknown>) => { c['scope'] = scope(app, 685); },
    "another nonce's": (c: Record<string, unknown>) => { c['nonce'] = 'n'; c['message'] = message(app, 'n'); },
    'another message': (c: Record<string, unknown>) => { c['message'] = '1'; },
    'nothing to be proven': (c: Record<string, unknown>) => { for (const k of Object.keys(c)) c[k] = undefined; },
  }))('to one who enrols: %s', async (_, change) => {
    grow(service, 3);
    const d = device();
    await d.create();
    service.lies.push({ path: '/challenge', change });
    expect(await code(d.enrol(await manager(true)))).toBe('challenge_refused');
    expect(ToyProver.proofs).toBe(0);
  });

  it('to one who enrols: another history of the same length', async () => {
    const d = await member();
    const f = service.fork();
    grow(service, 1);
    await d.look();
    const known = await d.known();
    grow(f, 2);
    service = f;
    expect(await code(d.enrol(await manager(true)))).toBe('group_forked');
    expect(await d.known()).toEqual(known);
    expect(ToyProver.proofs).toBe(0);
  });

  it('about itself, against what the page knows beforehand, at the first contact', async () => {
    grow(service, 3);
    for (const pins of [{ serviceId: 'another' }, { epochLength: 86_400 }, { key: another }]) {
      const d = device({ pins });
      expect(await code(d.create())).toBe('service_changed');
      expect(await code(d.look())).toBe('service_changed');
      expect(await d.known()).toBeUndefined();
    }
    const d = device({ pins: { serviceId: app, epochLength, key: service.key } });
    await d.create();
    expect(await d.known()).toMatchObject({ number: 0, pins: { serviceId: app, epochLength, key: service.key } });
  });

  it('where the browser has no Ed25519: the chain is followed all the same', async () => {
    const d = await member();
    const real = crypto.subtle.importKey.bind(crypto.subtle) as (...args: unknown[]) => Promise<CryptoKey>;
    vi.spyOn(crypto.subtle, 'importKey').mockImplementation(((...args: unknown[]) => (args[2] === 'Ed25519' ? Promise.reject(new DOMException('', 'NotSupportedError')) : real(...args))) as typeof crypto.subtle.importKey);
    await fork((f) => { grow(f, 2); grow(f, 3); })(d);
    expect(await code(d.signIn(await manager()))).toBe('group_forked');
    vi.restoreAllMocks();
  });
});

describe('a long history', () => {
  it('is asked for from where everybody asks', async () => {
    const d = await member(1);
    for (let i = 0; i < 2300; i++) service.publish();
    await d.look();
    expect(service.calls('/anonymous/roots').map((s) => s.url.split('?')[1])).toEqual(['after=0', 'after=999', 'after=1999']);
    service.seen = [];
    publish();
    await d.look();
    expect(service.calls('/anonymous/roots').map((s) => s.url.split('?')[1])).toEqual(['after=1999']);
    expect((await d.known())?.number).toBe(2302);
  });
});

describe('an identity', () => {
  it('is not written over, and only a backup brings it back', async () => {
    const d = await member();
    for (const p of [() => d.create(), async () => d.restore(await d.reveal()), async () => d.restore(await d.backup(passphrase), passphrase)]) expect(await code(p())).toBe('identity_exists');
    const backup = await d.backup(passphrase);
    await d.wipe();
    expect([await d.hasIdentity(), await d.known(), await code(d.backup(passphrase)), await code(d.signIn(await manager()))]).toEqual([false, undefined, 'no_identity', 'no_identity']);
    await d.restore(` ${backup}\n`, passphrase);
    expect(await code(d.signIn(await manager()))).toBe('nothing');
    const other = device();
    await other.restore((await d.reveal()).toUpperCase().replace(/-/g, ' '));
    expect((await other.look()).entered).toBe(true);
  });

  it('comes back from a backup with what was known of the group, however the service had this browser forget it', async () => {
    const d = await member();
    const [backup, text] = [await d.backup(passphrase), await d.reveal()];
    const fork = service.fork();
    fork.list.splice(1);
    grow(fork, 1);
    grow(fork, 1);
    const honest = service;
    await d.wipe();
    service = fork;
    expect(await code(d.restore(backup, passphrase))).toBe('group_forked');
    expect([await d.hasIdentity(), await d.known()]).toEqual([false, undefined]);
    service = new Members();
    grow(service, 1);
    expect(await code(d.restore(backup, passphrase))).toBe('service_changed');
    expect(await d.known()).toBeUndefined();
    service = fork;
    expect(await code(d.restore(text))).toBe('nothing'); // which is trust anew
    await d.wipe();
    service = honest;
    grow(service, 1);
    await d.restore(backup, passphrase);
    expect((await d.look()).entered).toBe(true);
  });

  it('whose backup somebody else wrote loses nothing', async () => {
    const d = await member();
    const text = await d.reveal();
    await d.wipe();
    for (const [inner, want] of [['x', 'backup_invalid'], ['null', 'backup_invalid'], ['[]', 'backup_invalid'], ['{"key":5}', 'backup_invalid'], ['{"key":"a"}', 'backup_invalid'], [JSON.stringify({ key: text, group: 'x' }), 'state_damaged'], [JSON.stringify({ key: text, group: { v: 1, pins: {} } }), 'state_damaged']]) {
      expect(await code(d.restore(await seal(inner ?? '', passphrase), passphrase))).toBe(want);
      expect([await d.hasIdentity(), await d.known()]).toEqual([false, undefined]);
    }
  });

  it('in a backup opens for its passphrase alone', async () => {
    const text = await write('5', { serviceId: 'x', epochLength, key: 'y' });
    const [one, two] = [await seal(text, passphrase), await seal(text, passphrase)];
    expect(one).not.toBe(two);
    expect(await unseal(one, passphrase)).toBe(text);
    expect(await unseal(one, passphrase.normalize('NFD'))).toBe(text);
    expect(await code(seal(text, 'too short'))).toBe('passphrase_short');
    const damaged = (i: number) => one.slice(0, i) + (one[i] === 'A' ? 'B' : 'A') + one.slice(i + 1);
    for (const bad of [damaged(10), damaged(30), damaged(100), one.slice(0, -1), `${one}A`, 'k1.', 'k1.*', `k1.${'A'.repeat(2000)}`, 'k1.' + Buffer.concat([Buffer.from([255, 255, 255, 255]), randomBytes(100)]).toString('base64url'), 'k1.' + Buffer.alloc(100).toString('base64url')]) {
      expect(await code(unseal(bad, passphrase))).toBe('backup_invalid');
    }
    expect(await code(unseal(one, `${passphrase}.`))).toBe('backup_invalid');
    const derive = vi.spyOn(crypto.subtle, 'deriveKey');
    for (const rounds of [0, 99_999, 10_000_001, 2 ** 32 - 1]) {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(rounds);
      expect(await code(unseal('k1.' + Buffer.concat([head, randomBytes(100)]).toString('base64url'), passphrase))).toBe('backup_invalid');
    }
    expect(derive).not.toHaveBeenCalled(); // who wrote the backup may not hang the page
    derive.mockRestore();
  });

  it('of another service is not taken, and neither is a text that is none', async () => {
    const d = await member();
    const own = await d.reveal();
    await d.wipe();
    for (const text of ['', own.slice(0, -1), `${own}a`, flipAt(own, 0), flipAt(own, 20), flipAt(own, 60), 'a'.repeat(5000), '*', await write('0', (await device().known())?.pins ?? { serviceId: app, epochLength, key: service.key }), await write(String(2n ** 255n), { serviceId: app, epochLength, key: service.key })]) {
      expect(await code(d.restore(text))).toBe('backup_invalid');
    }
    expect(await code(d.restore(await write('5', { serviceId: 'x', epochLength, key: service.key })))).toBe('service_changed');
    expect(await d.hasIdentity()).toBe(false);
  });

  const app = 'app.example.com';
  const flipAt = (text: string, i: number) => text.slice(0, i) + (text[i] === 'b' ? 'c' : 'b') + text.slice(i + 1);

  it('is of no use when the service became another', async () => {
    const d = await member();
    const before = service;
    service = new Members();
    grow(service, 3);
    expect(await code(d.signIn(await manager()))).toBe('service_changed');
    await d.forgetGroup();
    expect(await code(d.signIn(await manager()))).toBe('service_changed'); // the identity carries a mark
    expect(ToyProver.proofs).toBe(0);
    service = before;
    await d.forgetGroup();
    expect(await code(d.signIn(await manager()))).toBe('nothing');
  });
});

/** All that lies in the browser's database. */
async function everything(): Promise<Map<string, unknown>> {
  const db = await new Promise<IDBDatabase>((done) => { const r = indexedDB.open('mv'); r.onsuccess = () => { done(r.result); }; });
  const kv = db.transaction('kv').objectStore('kv');
  const [keys, values] = await Promise.all([kv.getAllKeys(), kv.getAll()].map((r) => new Promise<unknown[]>((done) => { r.onsuccess = () => { done(r.result); }; })));
  db.close();
  return new Map(keys?.map((k, i) => [String(k), values?.[i]]));
}

async function put(key: string, value: unknown): Promise<void> {
  const db = await new Promise<IDBDatabase>((done) => { const r = indexedDB.open('mv'); r.onsuccess = () => { done(r.result); }; });
  await new Promise((done) => { const t = db.transaction('kv', 'readwrite'); t.objectStore('kv').put(value, key); t.oncomplete = done; });
  db.close();
}

describe('a browser', () => {
  // The package opens its database once for all tests: each needs its own.
  beforeEach(() => { vi.resetModules(); });
  const browser = async (config: Partial<AnonymousConfig> = {}) => {
    const fresh = await import('../src/anonymous/index.js');
    return () => new fresh.AnonymousDevice({ apiUrl: api, minMembers: 1, worker: () => new ToyProver() as unknown as Worker, ...config });
  };

  it('keeps the identity encrypted, and the group, over a reload and for its tabs', async () => {
    const open = await browser();
    const d = open();
    grow(service, 3);
    await d.create();
    await d.enrol(await manager(true));
    publish();
    await d.look();
    const secret = await d.reveal();
    const all = await everything();
    const text = JSON.stringify([...all]) + [...all.values()].join();
    expect([...all.keys()].map((k) => k.replace(/\d{5,}/, 'ROOT')).sort()).toEqual(['group https://sessions.test/api', 'key', 'own https://sessions.test/api', 'page https://sessions.test/api ROOT']);
    expect(text).not.toContain(secret);
    expect(text).not.toContain(secret.replace(/-/g, ''));
    expect(text).not.toMatch(/anonym/i);
    expect((all.get('key') as CryptoKey).extractable).toBe(false);

    service.seen = [];
    const other = open();
    expect(await code(other.signIn(await manager()))).toBe('nothing');
    expect(service.calls('/anonymous/pages')).toEqual([]);
    expect(await other.known()).toEqual(await d.known());
    await d.wipe();
    expect(await other.hasIdentity()).toBe(false);
    expect([...(await everything()).keys()]).toEqual(['key']);
  });

  it('has one identity when two tabs make one at once', async () => {
    const open = await browser();
    grow(service, 3);
    const tabs = [open(), open(), open()];
    const made = await Promise.all(tabs.map((t) => code(t.create())));
    expect(made.sort()).toEqual(['identity_exists', 'identity_exists', 'nothing']);
    expect(new Set(await Promise.all(tabs.map((t) => t.reveal()))).size).toBe(1);
  });

  it('follows one history when two tabs are shown two', async () => {
    const open = await browser();
    grow(service, 3);
    const [a, b] = [open(), open()];
    await a.create();
    const fork = service.fork();
    grow(service, 1);
    grow(fork, 2);
    grow(fork, 2);
    // One tab is shown the list, and waits; the other, meanwhile, another one.
    let shown = service;
    let go: () => void = () => undefined;
    const gone = new Promise<void>((done) => { go = done; });
    const waits = new Promise<void>((reached) => {
      vi.stubGlobal('fetch', async (input: string, init?: RequestInit) => {
        const answer = await shown.fetch(input, init);
        if (input.includes('/roots') && shown === service) { reached(); await gone; }
        return answer;
      });
    });
    const first = code(a.look());
    await waits;
    shown = fork;
    expect(await code(b.look())).toBe('nothing');
    shown = service;
    go();
    expect(await first).toBe('group_forked');
    expect((await b.known())?.number).toBe(2);
  });

  it('trusts nothing anew when what it kept is damaged or cannot be had', async () => {
    const open = await browser();
    const d = open();
    grow(service, 3);
    await d.create();
    for (const damage of ['x', 5, {}, { v: 2 }, { v: 1, pins: null }, { v: 1, pins: {} }, { v: 1, pins: { serviceId: 'app.example.com', epochLength, key: service.key }, head: { ...service.list[0], size: 2 } }]) {
      await put('group https://sessions.test/api', damage);
      for (const p of [() => d.known(), () => d.look(), async () => d.signIn(await manager())]) expect(await code(p())).toBe('state_damaged');
    }
    await d.forgetGroup();
    expect((await d.look()).members).toBe(3);
    for (const damage of [5, 'x', '1.AAAA', '1.' + 'A'.repeat(200)]) {
      await put('own https://sessions.test/api', damage);
      for (const p of [() => d.reveal(), async () => d.signIn(await manager())]) expect(await code(p())).toBe('identity_damaged');
      expect(await code(d.create())).toBe('identity_exists');
    }
    const [page] = [...(await everything()).keys()].filter((k) => k.startsWith('page'));
    await d.wipe();
    await d.create();
    await d.enrol(await manager(true));
    publish();
    await d.look();
    const [root] = [...(await everything()).keys()].filter((k) => k.startsWith('page'));
    expect(root).not.toBe(page);
    await put(root ?? '', [...service.members].reverse().join(' '));
    expect(await code(d.signIn(await manager()))).toBe('prover_failed');
    expect(await code(d.signIn(await manager()))).toBe('nothing'); // fetched anew
  });

  it('that keeps nothing says so, and keeps no identity for a moment either', async () => {
    vi.stubGlobal('indexedDB', { open: () => { throw new DOMException('denied', 'SecurityError'); } });
    const d = (await browser())();
    grow(service, 3);
    for (const p of [() => d.hasIdentity(), () => d.create(), () => d.known(), () => d.look(), () => d.wipe(), () => d.forgetGroup()]) expect(await code(p())).toBe('storage_unavailable');
    const m = (await browser({ storage: 'memory' }))();
    await m.create();
    expect(await m.hasIdentity()).toBe(true);
  });
});

describe('a manager with a MemoryStorage', () => {
  it('opens no socket, which would carry the cookies of who is signed in beside', async () => {
    const opened: string[] = [];
    vi.stubGlobal('WebSocket', class { constructor(url: string) { opened.push(url); } close() { /* nothing */ } });
    const d = await member();
    const m = new SessionManager({ apiUrl: api, storage: new MemoryStorage(), trackActivity: false });
    managers.push(m);
    await d.signIn(m);
    await import('../src/socket.js'); // which would be loaded by now
    for (let i = 0; i < 100; i++) await new Promise((done) => { setTimeout(done, 1); });
    expect(opened).toEqual([]);
    expect(service.calls('/sessions/events')).toEqual([]);
  });
});
