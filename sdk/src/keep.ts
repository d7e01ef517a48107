import { read, write } from './database.js';
import { left, nobody, viewOf } from './held.js';
import type { Held } from './held.js';
import { isObject } from './http.js';
import { MemoryStorage } from './storage.js';
import type { TokenStorage } from './storage.js';
import type { SessionView } from './state.js';
import { now, within } from './time.js';

/** What all tabs know of the newest step. It holds no secret and names nobody. */
export interface Mark { step: string; at: number; left: number; lead: number | undefined; end: string }

const version = 1;
const patience = 30_000; // for a storage that somebody else wrote
const keys = ['mv_session_token', 'mv_refresh_token', 'mv_expires_at', 'mv_session'] as const;

/**
 * Where tabs find what their siblings did: the mark in IndexedDB, which is the
 * same in all processes as soon as it is written (localStorage is not), and in
 * header mode the tokens in their storage. Cookies need no place.
 */
export class Keep {
  readonly #storage: TokenStorage | undefined;
  readonly #mark: string | undefined;

  /** storage is undefined in cookie mode; name is that of the service. */
  constructor(storage: TokenStorage | undefined, name: string) {
    this.#storage = storage;
    this.#mark = storage instanceof MemoryStorage ? undefined : `mark:${name}`;
  }

  /** Whether other tabs have the same session. */
  get shared(): boolean {
    return this.#mark !== undefined;
  }

  async mark(): Promise<Mark | undefined> {
    const m = checked(this.#mark && await read(this.#mark));
    return m && { ...m, at: now(), left: rest(m) };
  }

  /** Keeps the pair before anybody uses it; the mark last, because siblings look at it first. */
  async put(h: Held): Promise<void> {
    const kept = { v: version, step: h.step, at: Date.now(), left: left(h), lead: h.lead, end: h.view.expires_at };
    if (h.token && h.refresh) {
      const values = [h.token, h.refresh, h.view.expires_at, JSON.stringify({ ...kept, view: h.view })] as const;
      for (const i of [1, 0, 2, 3] as const) await this.#use((s) => s.setItem(keys[i], values[i]));
    }
    if (this.#mark) await write(this.#mark, kept);
  }

  /** The pair that is kept, in header mode. */
  async get(): Promise<Held | undefined> {
    const [token, refresh, , text] = await Promise.all(keys.map((k) => this.#use((s) => s.getItem(k) as Promise<string | null | undefined>)));
    if (!token || !refresh) return undefined;
    const known = parse(text) ?? { view: nobody, step: refresh.slice(-16), left: 0, at: 0, lead: 300_000 }; // of another client: the tail is a digest, and stays in this page
    return { view: known.view, token, refresh, step: known.step, since: now(), life: rest(known), lead: known.lead };
  }

  /** Forgets what is kept; with a session's id, unless it is another's: who hears of an end late must not undo what began since. */
  async forget(id?: string): Promise<void> {
    if (id && ((await this.get())?.view.session_id || id) !== id) return;
    await Promise.all([...keys.map((k) => this.#use((s) => s.removeItem(k))), this.#mark && write(this.#mark, undefined)]);
  }

  /** A storage that throws, or does not answer for long, is one that keeps nothing. */
  async #use<T>(use: (s: TokenStorage) => T | Promise<T>): Promise<T | undefined> {
    return within(patience, Promise.resolve(this.#storage).then((s) => s && use(s)), undefined);
  }
}

/** Milliseconds left of what was kept, by the clock: nothing better outlives a page. */
const rest = (m: Pick<Mark, 'left' | 'at'>): number => Math.max(0, m.left - Math.max(0, Date.now() - m.at));

/** The mark in what was kept; undefined for anything else, such as a later version's. */
function checked(m: unknown): (Mark & { view?: unknown }) | undefined {
  return isObject(m) && m['v'] === version && typeof m['step'] === 'string' && typeof m['at'] === 'number' && typeof m['left'] === 'number' && typeof m['end'] === 'string' && typeof (m['lead'] ?? 0) === 'number'
    ? (m as unknown as Mark) : undefined;
}

function parse(text: string | null | undefined): (Mark & { view: SessionView }) | undefined {
  try {
    const k = checked(JSON.parse(text ?? ''));
    if (k) return { ...k, view: viewOf(k.view as SessionView) };
  } catch { /* another client's */ }
  return undefined;
}
