import { within } from './time.js';

/**
 * The package's small IndexedDB, one for all tabs of an origin. Storage may be
 * denied, full, cleared or blocked at any moment, so every call has a bound of
 * half a minute and none fails: what cannot be had is undefined, what cannot be
 * kept is told by false. The name is neutral: it can be seen on the device.
 */
const name = 'mv';
const table = 'kv';
const patience = 30_000;

let opened: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name); // of whichever version: a later package may have made it
    request.onupgradeneeded = () => { request.result.createObjectStore(table); };
    request.onerror = () => { reject(new Error('denied')); };
    request.onblocked = request.onerror;
    request.onsuccess = () => {
      const db = request.result;
      const forget = () => { db.close(); opened = undefined; };
      db.onversionchange = forget; // another version of this package, or the site's data is being cleared
      db.onclose = forget;
      resolve(db);
    };
  }).catch((e: unknown) => { opened = undefined; throw e; });
  return opened;
}

/** Runs one transaction; undefined if it fails. */
export async function transact<T>(mode: IDBTransactionMode, use: (kv: IDBObjectStore, done: (value: T) => void) => void): Promise<T | undefined> {
  const run = async () => {
    const db = await open();
    return new Promise<T>((resolve, reject) => {
      let value: T;
      const transaction = db.transaction(table, mode);
      transaction.oncomplete = () => { resolve(value); };
      transaction.onabort = () => { reject(new Error('aborted')); };
      use(transaction.objectStore(table), (v) => { value = v; });
    });
  };
  return within(patience, Promise.resolve().then(run), undefined);
}

/** What is kept under the key; undefined also when nobody can tell. */
export const read = (key: string): Promise<unknown> =>
  transact('readonly', (kv, done) => { const r = kv.get(key); r.onsuccess = () => { done(r.result); }; });

/** Keeps the value, or forgets the key when it is undefined; reports whether that is durable. */
export async function write(key: string, value: unknown): Promise<boolean> {
  return (await transact<boolean>('readwrite', (kv, done) => {
    if (value === undefined) kv.delete(key); else kv.put(value, key);
    done(true);
  })) ?? false;
}
