import { read, transact, write } from './database.js';
import { MemoryStorage } from './storage.js';
import type { TokenStorage } from './storage.js';

const version = '1.'; // of what encrypt gives: version, then base64url of IV (12 bytes), ciphertext and tag
const keyName = 'key';
const itemName = (key: string) => `item:${key}`;
const text = new TextEncoder();

const base64url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const bytesOf = (s: string) => Uint8Array.from(atob(s.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));

/** What is kept under the key, or the value, which is kept then: of two tabs one wins. */
const readOrKeep = <T>(key: string, value: T): Promise<T | undefined> =>
  transact<T>('readwrite', (kv, done) => {
    const r = kv.get(key) as IDBRequest<T | undefined>;
    r.onsuccess = () => {
      if (r.result === undefined) kv.put(value, key);
      done(r.result ?? value);
    };
  });

/**
 * Keeps small texts in IndexedDB, encrypted (AES-256-GCM) under a key that no
 * script can take out of the browser. It outlives a reload and is the same in
 * all tabs.
 *
 * It stops: tokens that are read from a copied profile or a backup by somebody
 * without this browser's key store, from an export of the storage, or by a
 * script that can only read strings and send them away for later. It does NOT
 * stop a script that runs in your page: that can ask for the items as you do.
 * The defence there is a content policy, short lives and fresh authentication.
 *
 * Where IndexedDB or Web Crypto is missing, denied or full, items live in memory
 * as long as the page.
 */
export class SecureStorage implements TokenStorage {
  readonly #memory = new MemoryStorage();
  #key: Promise<CryptoKey> | undefined;
  #durable = true;

  /** The browser's key for this origin. It cannot be exported. */
  get encryptionKey(): Promise<CryptoKey> {
    this.#key ??= this.generateKey().catch((e: unknown) => { this.#key = undefined; throw e; });
    return this.#key;
  }

  /** Whether everything kept so far outlives the page. */
  get durable(): boolean {
    return this.#durable;
  }

  /** The key that is kept, or a new one. */
  async generateKey(): Promise<CryptoKey> {
    const kept = await read(keyName);
    if (kept instanceof CryptoKey) return kept;
    const fresh = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
    return (await readOrKeep(keyName, fresh)) ?? fresh;
  }

  async setItem(key: string, value: string): Promise<void> {
    let kept = false;
    try {
      await this.#agree();
      kept = await write(itemName(key), await this.encrypt(value, key));
    } catch { /* no Web Crypto here */ }
    if (kept) this.#memory.removeItem(key);
    else this.#memory.setItem(key, value);
    this.#durable &&= kept;
  }

  /** The text; null when there is none or it is not readable any more. */
  async getItem(key: string): Promise<string | null> {
    const here = this.#memory.getItem(key);
    if (here !== null) return here;
    const kept = await read(itemName(key));
    if (typeof kept !== 'string') return null;
    try {
      return await this.decrypt(kept, key).catch(async () => {
        await this.#agree();
        return this.decrypt(kept, key);
      });
    } catch {
      return null; // the key is gone, or somebody changed the item
    }
  }

  async removeItem(key: string): Promise<void> {
    this.#memory.removeItem(key);
    await write(itemName(key), undefined);
  }

  /** Encrypts the text for a place: it can be decrypted for that place only. */
  async encrypt(data: string, place = ''): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt(this.#parameters(iv, place), await this.encryptionKey, text.encode(data));
    const out = new Uint8Array(12 + sealed.byteLength);
    out.set(iv);
    out.set(new Uint8Array(sealed), 12);
    return version + base64url(out);
  }

  /** Fails when the text was changed, or encrypted for another place or under another key. */
  async decrypt(encrypted: string, place = ''): Promise<string> {
    if (!encrypted.startsWith(version) || encrypted.length > 1 << 17) throw new Error('not of this format');
    const bytes = bytesOf(encrypted.slice(version.length));
    const opened = await crypto.subtle.decrypt(this.#parameters(bytes.slice(0, 12), place), await this.encryptionKey, bytes.slice(12));
    return new TextDecoder().decode(opened);
  }

  /** Uses the key that is kept: the site's data may have been cleared since, and a sibling made another. */
  async #agree(): Promise<void> {
    const own = await this.encryptionKey;
    const kept = await readOrKeep(keyName, own);
    if (kept) this.#key = Promise.resolve(kept);
  }

  #parameters(iv: Uint8Array<ArrayBuffer>, place: string): AesGcmParams {
    return { name: 'AES-GCM', iv, additionalData: text.encode(`mv:${version}${place}`) };
  }
}
