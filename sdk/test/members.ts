// The anonymous half of a service, in memory, and a prover to go with it. It is
// honest; a test makes it lie by changing its answers, or by what grows out of a
// fork. Its tree and its proofs are toys: what they hold is held by the real
// ones, which the browser's tests have (test/browser/anonymous.mjs).
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

export const api = 'https://sessions.test/api';
export const order = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
export const epochLength = 2_592_000;
export const noon = 685.5 * epochLength * 1000; // in the middle of epoch 685
const pageSize = 4096;

type Data = Record<string, unknown>;
export interface Seen { method: string; path: string; headers: Headers; body: Data | undefined; credentials: RequestCredentials | undefined; url: string }
export interface Snapshot { number: number; root: string; size: number; epoch: number; created_at: string; previous: string; signature: string }

const fixed = (n: number | string, length: number) => Buffer.from(BigInt(n).toString(16).padStart(2 * length, '0'), 'hex');
const sha = (b: Buffer | string) => createHash('sha256').update(b).digest();
const name = (s: string) => Buffer.concat([fixed(s.length, 2), Buffer.from(s)]);
const decimal = (b: Buffer) => BigInt(`0x${b.toString('hex')}`).toString();
const inField = (text: string) => (BigInt(decimal(sha(text))) % order).toString();

export const scope = (service: string, epoch: number) => decimal(sha(Buffer.concat([Buffer.from('mentalverse:anonymous:'), name(service), fixed(epoch, 8)])));
export const message = (service: string, nonce: string) => decimal(sha(Buffer.concat([Buffer.from('mentalverse:session:'), name(service), name(nonce)])));
export const enrolScope = (service: string, nonce: string) => decimal(sha(Buffer.concat([Buffer.from('mentalverse:enrol:'), name(service), name(nonce)])));
export const stranger = () => inField(randomBytes(16).toString('hex'));
export const commitmentOf = (secret: string) => inField(`commitment ${secret}`);

const rootOf = (leaves: string[]) => (leaves.length === 1 ? leaves[0] ?? '' : inField(leaves.join(' ')));
const pagesOf = (members: string[]) => Array.from({ length: Math.ceil(members.length / pageSize) }, (_, i) => members.slice(i * pageSize, (i + 1) * pageSize));

export class Members {
  service = 'app.example.com';
  keys = generateKeyPairSync('ed25519');
  list: Snapshot[] = [];
  members: string[] = [];
  seen: Seen[] = [];
  lies: { path: string; change: (data: Data, seen: Seen) => unknown }[] = [];
  closed = false;
  refusals: Record<string, [number, string]> = {};
  #waiting: string[] = [];
  #pages = new Map<string, string[]>();
  #roots: string[] = [];

  get key(): string {
    return (this.keys.publicKey.export({ format: 'jwk' }) as { x: string }).x;
  }

  fork(): Members {
    const f = new Members();
    Object.assign(f, { service: this.service, keys: this.keys, list: [...this.list], members: [...this.members] });
    f.#keepPages();
    return f;
  }

  join(...commitments: string[]): void {
    this.#waiting.push(...commitments);
  }

  strangers(n: number): void {
    this.join(...Array.from({ length: n }, stranger));
  }

  publish(change: Partial<Snapshot> = {}, key: KeyObject = this.keys.privateKey): void {
    this.members.push(...this.#waiting.splice(0));
    this.#keepPages();
    const last = this.list.at(-1);
    const s = {
      number: this.list.length, root: rootOf(this.#roots), size: this.members.length, epoch: Math.floor(Date.now() / 1000 / epochLength),
      created_at: new Date(Math.floor(Date.now() / 300_000) * 300_000).toISOString().replace('.000', ''),
      previous: last ? sha(this.#text(last)).toString('base64url') : Buffer.alloc(32).toString('base64url'), ...change,
    };
    this.list.push({ ...s, signature: sign(null, this.#text(s), key).toString('base64url') });
  }

  /** A page whose places are others now. */
  replace(place: number, commitment: string): void {
    this.members[place] = commitment;
  }

  #text(s: Omit<Snapshot, 'signature'>): Buffer {
    return Buffer.concat([
      Buffer.from('mentalverse:snapshot:'), name(this.service), fixed(s.number, 8), fixed(s.root, 32), fixed(s.size, 4), fixed(s.epoch, 8),
      fixed(Date.parse(s.created_at) / 1000, 8), Buffer.from(s.previous, 'base64url'),
    ]);
  }

  #keepPages(): void {
    this.#roots = pagesOf(this.members).map(rootOf);
    pagesOf(this.members).forEach((page, i) => this.#pages.set(this.#roots[i] ?? '', page));
  }

  calls(path: string): Seen[] {
    return this.seen.filter((s) => s.path.startsWith(path));
  }

  async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input as string, init);
    const url = new URL(request.url);
    const text = await request.text();
    const seen: Seen = { method: request.method, path: url.pathname.replace('/api/auth', ''), headers: request.headers, body: text ? JSON.parse(text) as Data : undefined, credentials: init?.credentials, url: request.url };
    this.seen.push(seen);
    const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
    const refused = Object.entries(this.refusals).find(([path]) => seen.path.startsWith(path))?.[1] ?? (this.closed && seen.path === '/anonymous/group' ? [503, 'unavailable'] : undefined);
    let data: Data | undefined = refused ? undefined : this.#serve(seen, url);
    if (!data) return answer(Number(refused?.[0] ?? 404), { success: false, error: { code: refused?.[1] ?? 'not_found', message: 'No.' } });
    for (const lie of this.lies) if (seen.path.startsWith(lie.path)) data = (lie.change(data, seen) as Data | undefined) ?? data;
    return answer(200, { success: true, data });
  }

  #serve({ method, path, body }: Seen, url: URL): Data | undefined {
    const own = { service_id: this.service, epoch_length: epochLength, key: this.key };
    const nonce = randomBytes(24).toString('base64url');
    if (path === '/anonymous/group') return { ...own, ...this.list.at(-1), members: this.members.length, page_roots: this.#roots };
    if (path === '/anonymous/roots') {
      const after = url.searchParams.get('after');
      return { ...own, roots: after === null ? this.list.slice(-100) : this.list.slice(Number(after) + 1, Number(after) + 1001) };
    }
    if (path.startsWith('/anonymous/pages/')) {
      const members = this.#pages.get(path.slice('/anonymous/pages/'.length));
      return members && { members: [...members] };
    }
    if (path === '/challenge') {
      const epoch = Math.floor(Date.now() / 1000 / epochLength);
      const common = { nonce, message: message(this.service, nonce) };
      return body?.['purpose'] === 'enrol' ? { ...common, scope: enrolScope(this.service, nonce) } : { ...common, epoch, scope: scope(this.service, epoch) };
    }
    if (path === '/anonymous/members') {
      if (method === 'POST') this.join(String(body?.['commitment']));
      return { status: method === 'POST' ? 'waiting' : 'leaving' };
    }
    if (path === '/sessions' && method === 'POST') return {
      session_id: 'sess_a', session_type: 'anonymous', permissions: [], session_token: 'st.a', refresh_token: 'rt_a', expires_in: 3600, refresh_at: null,
      expires_at: new Date(Date.now() + 3_600_000).toISOString(), idle_expires_at: new Date(Date.now() + 3_600_000).toISOString(), session_expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    };
    return undefined;
  }
}

interface Place { root: string; size: number; pageRoots: string[]; page: number; members: string[]; commitment: string }
interface Statement { secret: string; index: number; siblings: string[]; message: string; scope: string }

/** A worker as the package's: the same calls, with toys behind them. */
export class ToyProver {
  static all: ToyProver[] = [];
  static secrets = 0;
  static broken: string | undefined; // the call that fails
  calls: string[] = [];
  started: Data | undefined;
  stopped = false;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onerror: (() => void) | null = null;

  constructor() {
    ToyProver.all.push(this);
  }

  static get proofs(): number {
    return ToyProver.all.flatMap((w) => w.calls).filter((c) => c === 'prove').length;
  }

  terminate(): void {
    this.stopped = true;
  }

  postMessage({ id, call, ...args }: Data): void {
    this.calls.push(String(call));
    const tell = (data: Data) => { if (!this.stopped) this.onmessage?.({ data: { id, ...data } }); };
    queueMicrotask(() => {
      try {
        if (ToyProver.broken === call) throw new Error(`prover: broken at ${JSON.stringify(args)}`);
        tell({ progress: 0.5 });
        tell({ value: this.#do(String(call), args) });
      } catch (e) {
        tell({ error: (e as Error).message });
      }
    });
  }

  #do(call: string, args: Data): unknown {
    switch (call) {
      case 'start': this.started = args; return true;
      case 'identity': {
        const secret = String(1000 + ++ToyProver.secrets);
        return { secret, commitment: commitmentOf(secret) };
      }
      case 'commitment': return commitmentOf(String(args['secret']));
      case 'path': {
        const { root, size, pageRoots, page, members, commitment } = args['place'] as Place;
        if (pageRoots.length !== Math.ceil(size / pageSize) || rootOf(pageRoots) !== root) throw new Error('pages');
        if (members.length !== Math.min(size - page * pageSize, pageSize) || rootOf(members) !== pageRoots[page]) throw new Error('page');
        const at = members.indexOf(commitment);
        if (at < 0) throw new Error('no place');
        return { index: page * pageSize + at, siblings: [root] };
      }
      case 'prove': {
        const s = args['statement'] as Statement;
        return { merkleTreeDepth: 20, merkleTreeRoot: s.siblings[0] ?? commitmentOf(s.secret), nullifier: inField(s.scope + s.secret), message: s.message, scope: s.scope, points: Array<string>(8).fill('1') };
      }
      default: throw new Error('no call');
    }
  }
}
