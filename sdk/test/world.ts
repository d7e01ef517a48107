// A small world for tabs: a service with the refresh rules, a jar of cookies,
// locks, channels and a network that fails as told. Time is vitest's.
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, vi } from 'vitest';
import { SessionManager } from '../src/index.js';
import type { SessionConfig } from '../src/index.js';

export const api = 'https://sessions.test/api';

const turn = globalThis.setImmediate;
const factory = new IDBFactory();

/** What other threads do for a test, and how long that takes nobody knows: Web Crypto, and modules on their way (vitest.config.ts). */
const underway = new Set<Promise<unknown>>();

function waitedFor<T>(promise: Promise<T>): Promise<T> {
  underway.add(promise);
  const over = () => { underway.delete(promise); };
  promise.then(over, over);
  return promise;
}

Object.assign(globalThis, { waitedFor });
for (const name of ['digest', 'encrypt', 'decrypt', 'generateKey'] as const) {
  const real = crypto.subtle[name].bind(crypto.subtle) as (...args: unknown[]) => Promise<unknown>;
  Object.defineProperty(crypto.subtle, name, { value: (...args: unknown[]) => waitedFor(real(...args)), configurable: true });
}

/** Deletes all that IndexedDB holds, as the clearing of a site's data does. */
export async function clearSite(): Promise<void> {
  await settle();
  await new Promise((done) => { factory.deleteDatabase('mv').onsuccess = done; });
}

/**
 * Lets everything happen that needs none of the faked time. What this thread
 * does takes a number of turns of its loop, which is the same on a busy machine;
 * what others do is waited for.
 */
export async function settle(): Promise<void> {
  for (let quiet = 0; quiet < 60; quiet++) {
    if (underway.size) quiet = 0;
    await Promise.allSettled(underway);
    await new Promise<void>((done) => { turn(done); });
  }
}

/** Waits for what needs none of the faked time, however long the machine takes. */
export async function until(so: () => boolean): Promise<void> {
  for (let i = 0; !so(); i++) {
    if (i === 10_000) throw new Error('it does not come to pass');
    await settle();
  }
}

/** Moves time, from timer to timer, so that what each of them starts can finish. */
export async function pass(ms: number): Promise<void> {
  await passUntil(() => false, ms);
  await vi.advanceTimersByTimeAsync(0);
  await settle();
}

/** The promise's outcome, while time passes. */
export async function outcome<T>(promise: Promise<T>, ms = 30_000): Promise<T> {
  let done = false;
  const watched = promise.finally(() => { done = true; });
  watched.catch(() => undefined);
  await settle();
  await passUntil(() => done, ms);
  if (!done) throw new Error('it takes too long');
  return watched;
}

async function passUntil(done: () => boolean, ms: number): Promise<void> {
  let over = false;
  const end = setTimeout(() => { over = true; }, ms);
  while (!over && !done()) {
    await vi.advanceTimersToNextTimerAsync();
    await settle();
  }
  clearTimeout(end);
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
export const refusal = (status: number, code: string, details?: object, headers?: Record<string, string>) =>
  json(status, { success: false, error: { code, message: 'No.', details } }, headers);

export interface Seen { method: string; path: string; headers: Headers; body: Record<string, unknown>; credentials: RequestCredentials; keepalive: boolean }

interface Live { id: string; generation: number; ended?: string; expires: number; since: number; permissions: string[]; type: string; stepped: number }

type Fault = (seen: Seen, serve: () => Response) => Response | Promise<Response>;

/** The call is done, and its answer, cookies and all, is lost on the way. */
export const lose: Fault = (_, serve) => {
  const jar = service.jar;
  serve();
  service.jar = jar;
  throw new TypeError('lost');
};

export class Service {
  life = 43_200;
  skew = 0; // ms of the server's clock
  sessions = new Map<string, Live>();
  jar: { session: string; refresh: string } | undefined;
  seen: Seen[] = [];
  faults: Fault[] = []; // one for each coming call
  always: Fault | undefined;
  steps = 0;
  #next = 1;

  count(path: string): number {
    return this.seen.filter((s) => s.path === path).length;
  }

  last(path: string): Seen {
    const found = this.seen.filter((s) => s.path === path).at(-1);
    if (!found) throw new Error(`nobody called ${path}`);
    return found;
  }

  end(reason = 'revoked'): void {
    for (const s of this.sessions.values()) s.ended ??= reason;
  }

  #time = (ms: number) => new Date(ms + this.skew).toISOString().replace(/\.\d+Z/, 'Z');

  #view(s: Live) {
    return { session_id: s.id, session_type: s.type, permissions: s.permissions, expires_at: this.#time(s.expires), idle_expires_at: this.#time(Date.now() + 35 * 60_000), session_expires_at: this.#time(s.since + 86_400_000) };
  }

  #tokens(s: Live, cookie: boolean) {
    const pair = { session: `st.${s.id}.${s.generation}`, refresh: `rt_${s.id}.${s.generation}` };
    if (cookie) this.jar = pair;
    return json(200, { success: true, data: {
      ...this.#view(s), expires_in: Math.round((s.expires - Date.now()) / 1000),
      refresh_at: s.expires >= s.since + 86_400_000 ? null : this.#time(s.expires - 300_000),
      ...(cookie ? { csrf_token: `csrf-${s.id}` } : { session_token: pair.session, refresh_token: pair.refresh }),
    } });
  }

  #find(token: string | undefined): { s: Live; generation: number } | undefined {
    const [, id = '', generation = ''] = /^(?:st\.|rt_)(.+)\.(\d+)$/.exec(token ?? '') ?? [];
    const s = this.sessions.get(id);
    return s && { s, generation: Number(generation) };
  }

  async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input as string, init);
    const url = new URL(request.url);
    const text = await request.text();
    const seen: Seen = { method: request.method, path: url.pathname.replace('/api/auth', ''), headers: request.headers, body: text ? JSON.parse(text) as Record<string, unknown> : {}, credentials: init?.credentials ?? request.credentials, keepalive: init?.keepalive ?? false };
    this.seen.push(seen);
    const fault = this.faults.shift() ?? this.always;
    const answer = fault ? await fault(seen, () => this.#serve(seen)) : this.#serve(seen);
    init?.signal?.throwIfAborted();
    return answer;
  }

  /** A text as the server writes it (wallet.Message). */
  text(chain: string, address: string, type: string, nonce: string): string {
    const [noun, id] = { icp: ['Internet Computer', 'icp:737ba355e855bd4b61279056603e0550'], ethereum: ['Ethereum', '1'], solana: ['Solana', 'mainnet'] }[chain] as [string, string];
    return [
      `sessions.test wants you to sign in with your ${noun} account:`, address, '', `Sign in to MentalVerse and open a ${type} session.`, '',
      'URI: https://sessions.test/api/auth/sessions', 'Version: 1', `Chain ID: ${id}`, `Nonce: ${nonce}`,
      'Issued At: 2026-11-28T10:00:00.000Z', 'Expiration Time: 2026-11-28T10:05:00.000Z', 'Request ID: 0123456789abcdef',
      'Resources:', `- urn:mentalverse:session:${type}`,
    ].join('\n');
  }

  /** The account behind the session that reauthenticates. */
  account = { chain: 'icp', address: '' };

  #challenge(body: Record<string, unknown>): Response {
    const asks = { ...this.account, session_type: 'standard', ...body };
    const nonce = (this.#next++).toString().replace(/[^2-7]/g, 'z').padStart(64, 'a');
    return json(200, { success: true, data: { nonce, message: this.text(asks.chain, asks.address, asks.session_type, nonce), issued_at: '2026-11-28T10:00:00Z', expires_at: '2026-11-28T10:05:00Z' } });
  }

  #serve(seen: Seen): Response {
    const cookie = seen.credentials === 'include';
    const bearer = seen.headers.get('Authorization')?.replace('Bearer ', '');
    if (seen.path === '/sessions' && seen.method === 'POST') {
      const s: Live = { id: `sess_${this.#next++}`, generation: 1, expires: Date.now() + this.life * 1000, since: Date.now(), permissions: ['read:profile'], type: String(seen.body['session_type']), stepped: 0 };
      this.sessions.set(s.id, s);
      return this.#tokens(s, seen.body['transport'] === 'cookie');
    }
    if (seen.path === '/challenge' && seen.body['purpose'] === undefined) return this.#challenge(seen.body);
    if (seen.path === '/sessions/refresh') {
      const found = this.#find(cookie ? this.jar?.refresh : seen.body['refresh_token'] as string);
      if (!found || found.s.ended) return refusal(401, 'refresh_failed');
      const { s, generation } = found;
      if (generation === s.generation) {
        s.generation++;
        this.steps++;
        s.stepped = Date.now();
        s.expires = Math.min(Date.now() + this.life * 1000, s.since + 86_400_000);
      } else if (generation !== s.generation - 1 || Date.now() - s.stepped > 10_000) {
        if (Date.now() - s.stepped <= 120_000) return refusal(409, 'refresh_superseded');
        s.ended = 'refresh_reuse';
        return refusal(401, 'refresh_failed');
      }
      return this.#tokens(s, cookie);
    }
    if (seen.path === '/sessions/logout') {
      const found = this.#find(cookie ? this.jar?.session : seen.body['refresh_token'] as string);
      if (found) found.s.ended = 'logout';
      if (cookie) this.jar = undefined;
      return json(200, { success: true, data: {} });
    }
    const found = this.#find(cookie ? this.jar?.session : bearer);
    if (!found || found.s.ended === 'revoked' || found.s.ended === 'logout') return refusal(401, 'session_invalid');
    if (found.s.ended) return refusal(401, 'session_expired', { reason: found.s.ended });
    const { s, generation } = found;
    if (Date.now() >= s.expires || generation < s.generation - 1) return refusal(401, 'session_expired', { reason: 'token_expired', csrf_token: cookie ? `csrf-${s.id}` : undefined });
    switch (seen.path) {
      case '/sessions/validate':
        return json(200, { success: true, data: { valid: true, ...this.#view(s), time_remaining: Math.floor((s.expires - Date.now()) / 1000), auth_time: this.#time(s.since) } });
      case '/sessions/current':
        return json(200, { success: true, data: { ...this.#view(s), current: true, csrf_token: `csrf-${s.id}` } }, { Date: new Date(Date.now() + this.skew).toUTCString() });
      case '/sessions/activity':
        return json(200, { success: true, data: this.#view(s) });
      case '/challenge':
        return this.#challenge(seen.body);
      case '/sessions/reauthenticate':
        s.generation++;
        return this.#tokens(s, cookie);
      case '/sessions/events/ticket':
        return json(200, { success: true, data: { ticket: 'ticket-1', expires_in: 30 } });
      default:
        return refusal(404, 'not_found');
    }
  }
}

/** Web Locks of one origin, with a tab that may freeze while it holds one. */
export class Locks {
  held = 0;
  #tail: Promise<unknown> = Promise.resolve();

  request<T>(_: string, options: { signal?: AbortSignal }, work: () => Promise<T>): Promise<T> {
    const turn = this.#tail;
    let release = () => { /* set below */ };
    this.#tail = new Promise<void>((done) => { release = done; });
    return new Promise<T>((resolve, reject) => {
      let begun = false;
      options.signal?.addEventListener('abort', () => {
        if (!begun) { reject(new DOMException('aborted', 'AbortError')); void turn.then(release); begun = true; }
      });
      void turn.then(async () => {
        if (begun) return;
        begun = true;
        this.held++;
        try {
          resolve(await work());
        } catch (e) {
          reject(e as Error);
        } finally {
          this.held--;
          release();
        }
      });
    });
  }

  freeze(): () => void {
    let thaw = () => { /* set below */ };
    void this.request('x', {}, () => new Promise<void>((done) => { thaw = done; }));
    return () => { thaw(); };
  }
}

/** BroadcastChannel of one origin: others hear, the speaker does not. */
export class Channel {
  static all = new Set<Channel>();
  static said: unknown[] = [];
  onmessage: ((e: { data: unknown }) => void) | null = null;
  constructor(readonly name: string) { Channel.all.add(this); }
  postMessage(data: unknown): void {
    Channel.said.push(data);
    for (const c of Channel.all) if (c !== this && c.name === this.name) queueMicrotask(() => { c.onmessage?.({ data }); });
  }
  close(): void { Channel.all.delete(this); }
}

export class FakeSocket {
  static all: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  closed: number | undefined;
  constructor(readonly url: string, readonly protocols: string[]) { FakeSocket.all.push(this); }
  close(code: number): void { this.closed = code; }
  say(m: unknown): void { this.onmessage?.({ data: typeof m === 'string' ? m : JSON.stringify(m) }); }
}

export let service: Service;
export let locks: Locks;
const tabs: SessionManager[] = [];

export function tab(config: Partial<SessionConfig> = {}): SessionManager {
  const m = new SessionManager({ apiUrl: api, ...config });
  tabs.push(m);
  return m;
}

/** Stops a tab without a word, as a closed window does. */
export const closeTab = (m: SessionManager) => { m.dispose(); };

export const header = { transport: 'header' } as const;

/** A tab that has signed in. */
export async function signedIn(config: Partial<SessionConfig> = {}): Promise<SessionManager> {
  const m = tab(config);
  await outcome(m.createSession({ signature: 'credential' }));
  await settle();
  return m;
}

export function goOffline(offline: boolean): void {
  Object.defineProperty(navigator, 'onLine', { value: !offline, configurable: true });
  service.always = offline ? () => { throw new TypeError('Failed to fetch'); } : undefined;
  if (!offline) globalThis.dispatchEvent(new Event('online'));
}

export function lookAt(): void {
  document.dispatchEvent(new Event('visibilitychange'));
}

/** The person does something: an event that the browser vouches for. */
export function act(kind = 'pointerdown', trusted = true): void {
  const e = new Event(kind, { bubbles: true });
  Object.defineProperty(e, 'isTrusted', { value: trusted });
  document.dispatchEvent(e);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] });
  service = new Service();
  locks = new Locks();
  Channel.all.clear();
  Channel.said = [];
  FakeSocket.all = [];
  vi.stubGlobal('fetch', (i: RequestInfo, o?: RequestInit) => service.fetch(i, o));
  vi.stubGlobal('indexedDB', factory);
  vi.stubGlobal('BroadcastChannel', Channel);
  vi.stubGlobal('WebSocket', FakeSocket);
  Object.defineProperty(navigator, 'locks', { value: locks, configurable: true });
  Object.defineProperty(navigator, 'onLine', { value: true, configurable: true });
});

afterEach(async () => {
  for (const m of tabs.splice(0)) m.dispose();
  await clearSite();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
