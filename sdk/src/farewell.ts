import { read, write } from './database.js';
import { SessionError } from './errors.js';
import type { Held } from './held.js';
import { call, isObject } from './http.js';
import { secure } from './lazy.js';

const any = '*'; // the session that the cookies are of, whichever it is

/** What must still be told to the server: that this session is over. */
interface Due { v: 1; id: string; token: string | undefined; csrf: string | undefined }

/**
 * The logout that the server has not confirmed. It is kept over reloads: in
 * cookie mode as a digest of the session's id, in header mode as the encrypted
 * refresh token; and never in a storage that somebody else can read.
 */
export class Farewell {
  readonly #base: string;
  readonly #key: string;
  readonly #cookies: boolean;
  readonly #shared: boolean;
  #due: Due | undefined;
  #saying: Promise<boolean> | undefined;

  constructor(base: string, name: string, cookies: boolean, shared: boolean) {
    this.#base = base;
    this.#key = `logout:${name}`;
    this.#cookies = cookies;
    this.#shared = shared;
  }

  /** Notes that a session is to be ended, before anything is sent; an unknown one is whatever the cookies turn out to be of. */
  async note(h: Held | undefined, unknown: boolean): Promise<void> {
    if (!h && !(unknown && this.#cookies)) return;
    const due: Due = { v: 1, id: any, token: h?.refresh, csrf: h?.csrf };
    this.#due = due;
    if (!this.#shared) return;
    if (h) due.id = await digest(h.view.session_id);
    if (this.#due !== due) return; // confirmed already
    await write(this.#key, { v: 1, id: due.id, token: due.token && (await secure().then((s) => s.encrypt(due.token ?? '', this.#key)).catch(() => undefined)) });
    if (this.#due !== due) await write(this.#key, undefined);
  }

  /** Reads what an earlier page could not tell, and tells what needs no cookie. */
  async begin(): Promise<void> {
    if (!this.#shared || this.#due) return;
    const kept = await read(this.#key);
    if (!isObject(kept) || kept['v'] !== 1 || typeof kept['id'] !== 'string') return;
    const sealed = kept['token'];
    const token = typeof sealed === 'string' ? await secure().then((s) => s.decrypt(sealed, this.#key)).catch(() => undefined) : undefined;
    this.#due = { v: 1, id: kept['id'], token, csrf: undefined };
    if (token) void this.say();
  }

  /** Whether the session that the cookies are of is the one to be ended; then it is. */
  async concerns(h: Held): Promise<boolean> {
    const due = this.#due;
    if (!this.#cookies || !due || due.csrf) return false;
    if (due.id !== any && due.id !== (await digest(h.view.session_id))) {
      await this.#done(due); // it is gone from this browser
      return false;
    }
    due.csrf = h.csrf;
    void this.say();
    return true;
  }

  /** Tells the server; true when nothing is left to tell. */
  say(): Promise<boolean> {
    this.#saying ??= this.#say().finally(() => { this.#saying = undefined; });
    return this.#saying;
  }

  async #say(): Promise<boolean> {
    const due = this.#due;
    if (!due) return true;
    if (!due.token && !due.csrf) return false; // the cookies' session is not known yet
    try {
      await call(`${this.#base}/sessions/logout`, {
        method: 'POST',
        body: due.token ? { refresh_token: due.token } : {},
        headers: due.csrf ? { 'Session-CSRF': due.csrf } : {},
        cookies: this.#cookies,
        keepalive: true,
        timeout: 10_000,
      });
    } catch (e) {
      if (!(e instanceof SessionError) || e.status !== 401) return false;
    }
    await this.#done(due);
    return true;
  }

  async #done(due: Due): Promise<void> {
    if (this.#due === due) this.#due = undefined;
    if (this.#shared) await write(this.#key, undefined);
  }
}

/** Names a session to this browser, and to nobody who reads its disk. */
async function digest(id: string): Promise<string> {
  try {
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`mv:logout:${id}`));
    return [...new Uint8Array(hash).slice(0, 16)].map((b) => b.toString(16).padStart(2, '0')).join('');
  } catch {
    return '';
  }
}
