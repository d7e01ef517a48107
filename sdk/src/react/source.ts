import type { EndReason } from '../errors.js';
import { viewOf } from '../held.js';
import { Listeners } from '../listeners.js';
import { SessionManager } from '../manager.js';
import type { AuthData, SessionConfig } from '../config.js';
import type { Connection, SessionView, Snapshot } from '../state.js';

/** What is known of a session that is good: no token is in it. */
export type ValidSession = SessionView & { readonly valid: true };

/**
 * What useSession gives. `session`, `loading`, `login`, `logout` and
 * `sessionManager` are the specification's; `status` tells the cases apart.
 * `loading` is also true during a login, `status` is not. The manager is null
 * only where there is none yet: on a server, and before the first effects of a
 * page whose provider was given a config.
 */
export type UseSession = {
  readonly connection: Connection;
  /** Opens a session. What it resolves with holds no token. */
  readonly login: (auth: AuthData) => Promise<ValidSession>;
  /** Signs out in all tabs; false when the server has not confirmed yet. */
  readonly logout: () => Promise<boolean>;
} & (
  | { readonly status: 'loading'; readonly session: null; readonly loading: true; readonly sessionManager: SessionManager | null }
  | { readonly status: 'authenticated'; readonly session: ValidSession; readonly loading: boolean; readonly sessionManager: SessionManager }
  | { readonly status: 'unauthenticated'; readonly session: { readonly valid: false }; readonly loading: boolean; readonly reason?: EndReason; readonly sessionManager: SessionManager }
);

const nobody = { valid: false } as const;

/**
 * A provider's manager, made when somebody first subscribes and never during a
 * rendering: renderings may be thrown away, and servers have no page. It is
 * disposed when nobody uses it any more, but not in the moment in which
 * StrictMode takes all effects back and runs them again.
 */
export class Source {
  readonly #config: SessionConfig | undefined;
  readonly #changes = new Listeners<[]>();
  #manager: SessionManager | undefined;
  #uses = 0;
  #logins = 0;
  #asking: Promise<void> | undefined;
  #valid: { view: SessionView; session: ValidSession } | undefined;
  #made: { of: Snapshot; value: UseSession } | undefined;
  /** What a server renders, and a page first. */
  readonly server: UseSession;

  /** A manager that is given stays the page's to dispose. */
  constructor(manager: SessionManager | undefined, config: SessionConfig | undefined, readonly exitUrl: string) {
    this.#config = manager ? undefined : config;
    this.#manager = manager;
    this.server = this.#make({ status: 'loading', session: null, connection: 'ok' });
  }

  /** The manager. Not for renderings. */
  get manager(): SessionManager {
    this.#manager ??= new SessionManager(this.#config as SessionConfig);
    return this.#manager;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#uses++;
    const undo = this.manager.subscribe(listener);
    const forget = this.#changes.add(listener);
    return () => {
      undo();
      forget();
      this.#release();
    };
  };

  /** How things stand; the same object until something changes. */
  get = (): UseSession => {
    const of = this.#manager?.getSnapshot();
    if (!of) return this.server;
    if (this.#made?.of !== of) this.#made = { of, value: this.#make(of) };
    return this.#made.value;
  };

  #make(s: Snapshot): UseSession {
    if (s.session && this.#valid?.view !== s.session) this.#valid = { view: s.session, session: { ...s.session, valid: true } };
    return {
      ...s,
      session: s.session ? this.#valid?.session : s.status === 'loading' ? null : nobody,
      loading: s.status === 'loading' || this.#logins > 0,
      login: this.#login,
      logout: this.#logout,
      sessionManager: this.#manager ?? null,
    } as UseSession;
  }

  #login = (auth: AuthData): Promise<ValidSession> => this.#use(async (m) => {
    this.#count(1);
    try {
      return { ...viewOf(await m.createSession(auth)), valid: true };
    } finally {
      this.#count(-1);
    }
  });

  #logout = (): Promise<boolean> => this.#use((m) => m.logout());

  /** Work that may begin before the provider does, and end after it. */
  async #use<T>(work: (m: SessionManager) => Promise<T>): Promise<T> {
    this.#uses++;
    try {
      return await work(this.manager);
    } finally {
      this.#release();
    }
  }

  #count(by: number): void {
    this.#logins += by;
    this.#made = undefined;
    this.#changes.call();
  }

  #release(): void {
    this.#uses--;
    queueMicrotask(() => {
      if (this.#uses || !this.#config) return;
      this.#manager?.dispose();
      this.#manager = this.#made = undefined;
    });
  }

  /** One question at a time, whoever needs the answer. */
  once(work: () => Promise<void>): Promise<void> {
    this.#asking ??= work().finally(() => { this.#asking = undefined; });
    return this.#asking;
  }
}

