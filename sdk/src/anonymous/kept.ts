import { transact } from '../database.js';
import { problem } from './problems.js';

/** Where a device keeps what it knows, by name. */
export interface Kept {
  get(key: string): Promise<unknown>;
  /** Puts `next` where what lies there is still `was`; false when it is not. Undefined is nothing. */
  swap(key: string, was: unknown, next: unknown): Promise<boolean>;
  remove(key: string): Promise<void>;
  /** Removes what begins so, but for some. */
  prune(prefix: string, but: string[]): Promise<void>;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Keeps for the life of the page. */
export class InMemory implements Kept {
  readonly #items = new Map<string, unknown>();

  get(key: string): Promise<unknown> {
    return Promise.resolve(this.#items.get(key));
  }

  swap(key: string, was: unknown, next: unknown): Promise<boolean> {
    if (!same(this.#items.get(key), was)) return Promise.resolve(false);
    if (next === undefined) this.#items.delete(key);
    else this.#items.set(key, next);
    return Promise.resolve(true);
  }

  remove(key: string): Promise<void> {
    this.#items.delete(key);
    return Promise.resolve();
  }

  prune(prefix: string, but: string[]): Promise<void> {
    for (const key of this.#items.keys()) if (key.startsWith(prefix) && !but.includes(key)) this.#items.delete(key);
    return Promise.resolve();
  }
}

/** Keeps in the package's IndexedDB, for all tabs. What that cannot do fails: to go on as if nothing were kept would be to trust anew. */
export const inDatabase: Kept = {
  get: (key) => run('readonly', (kv, done) => {
    const r = kv.get(key);
    r.onsuccess = () => { done(r.result); };
  }),
  swap: (key, was, next) => run<boolean>('readwrite', (kv, done) => {
    const r = kv.get(key);
    r.onsuccess = () => {
      const still = same(r.result, was);
      if (still && next === undefined) kv.delete(key);
      else if (still) kv.put(next, key);
      done(still);
    };
  }),
  remove: (key) => run<undefined>('readwrite', (kv, done) => {
    kv.delete(key);
    done(undefined);
  }),
  prune: (prefix, but) => run<undefined>('readwrite', (kv, done) => {
    done(undefined);
    const r = kv.getAllKeys(IDBKeyRange.bound(prefix, `${prefix}\uffff`));
    r.onsuccess = () => { for (const key of r.result) if (!but.includes(String(key))) kv.delete(key); };
  }),
};

async function run<T>(mode: IDBTransactionMode, use: (kv: IDBObjectStore, done: (value: T) => void) => void): Promise<T> {
  const got = await transact<[T]>(mode, (kv, done) => { use(kv, (value) => { done([value]); }); });
  if (!got) throw problem('storage_unavailable');
  return got[0];
}
