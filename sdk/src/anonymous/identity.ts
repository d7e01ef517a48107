import { inDatabase } from './kept.js';
import type { Kept } from './kept.js';
import { problem } from './problems.js';

/** A storage that looks for its key now: what an older one holds may have been cleared with the site's data. */
const fresh = async () => new (await import('../secure.js')).SecureStorage();

/**
 * The one identity of a service in this browser, as the text that a person
 * could keep. It is never written over. In IndexedDB it lies encrypted under a
 * key that no script can take out of the browser.
 */
export class Vault {
  readonly #kept: Kept;
  readonly #name: string;

  constructor(kept: Kept, name: string) {
    this.#kept = kept;
    this.#name = `own ${name}`;
  }

  async has(): Promise<boolean> {
    return (await this.#kept.get(this.#name)) !== undefined;
  }

  async get(): Promise<string> {
    const found = await this.#kept.get(this.#name);
    if (found === undefined) throw problem('no_identity');
    if (typeof found !== 'string') throw problem('identity_damaged');
    return this.#open(found);
  }

  /** Keeps a new one; of two tabs one wins. */
  async put(text: string): Promise<void> {
    const sealed = await this.#seal(text);
    if (!(await this.#kept.swap(this.#name, undefined, sealed))) throw problem('identity_exists');
    // The site's data may have been cleared between the key and this: what cannot be read back is not kept.
    if ((await this.get().catch(() => undefined)) === text) return;
    await this.#kept.swap(this.#name, sealed, undefined);
    throw problem('storage_unavailable');
  }

  async wipe(): Promise<void> {
    await this.#kept.remove(this.#name);
  }

  async #seal(text: string): Promise<string> {
    return this.#kept === inDatabase ? (await fresh()).encrypt(text, this.#name) : text;
  }

  async #open(found: string): Promise<string> {
    if (this.#kept !== inDatabase) return found;
    try {
      return await (await fresh()).decrypt(found, this.#name);
    } catch {
      throw problem('identity_damaged');
    }
  }
}
