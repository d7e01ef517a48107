import type { SecureStorage } from './secure.js';
import type { Socket, SocketOptions } from './socket.js';
import type { TokenStorage } from './storage.js';
import { after, backoff } from './time.js';

let loading: Promise<SecureStorage> | undefined;

/** The page's SecureStorage, loaded when it is first needed: a page in cookie mode never needs it. */
export const secure = (): Promise<SecureStorage> => {
  loading ??= import('./secure.js').then((m) => new m.SecureStorage());
  return loading;
};

/** Where tokens are kept in header mode unless a page says otherwise. */
export const secureStorage: TokenStorage = {
  getItem: async (key) => (await secure()).getItem(key),
  setItem: async (key, value) => (await secure()).setItem(key, value),
  removeItem: async (key) => (await secure()).removeItem(key),
};

/** The stream of events, loaded when there is a session to hear of. */
export class LazySocket {
  readonly #o: Omit<SocketOptions, 'after' | 'backoff'>;
  #socket: Socket | undefined;
  #wanted = false;

  constructor(o: Omit<SocketOptions, 'after' | 'backoff'>) {
    this.#o = o;
  }

  open(): void {
    this.#wanted = true;
    if (this.#socket) this.#socket.open();
    else void this.#load();
  }

  close(): void {
    this.#wanted = false;
    this.#socket?.close();
  }

  async #load(): Promise<void> {
    try {
      const { Socket } = await import('./socket.js');
      this.#socket ??= new Socket({ ...this.#o, after, backoff });
      if (this.#wanted) this.#socket.open();
    } catch { /* the next look at the page tries again */ }
  }
}
