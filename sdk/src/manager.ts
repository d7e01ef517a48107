import { Activity } from './activity.js';
import { Siblings } from './channel.js';
import type { AuthData, SessionConfig, StoredPair } from './config.js';
import { end } from './ending.js';
import { leftOfSession } from './held.js';
import { Keep } from './keep.js';
import { LazySocket, secureStorage } from './lazy.js';
import { Listeners } from './listeners.js';
import { load } from './load.js';
import { logout } from './logout.js';
import { look, watchPage } from './page.js';
import { refresh } from './refresh.js';
import { report, reportIfDue } from './report.js';
import { schedule } from './schedule.js';
import { create, reauthenticate, takeOver } from './signin.js';
import type { Expiry, SessionData, SessionEvent, SessionView, Snapshot, Validation } from './state.js';
import { MemoryStorage } from './storage.js';
import type { TokenStorage } from './storage.js';
import type { Tab } from './tab.js';
import { fetchWith, tokenOf } from './token.js';
import { driftWatch } from './time.js';
import { hear, ticket, told } from './told.js';
import { due, validateCached } from './validate.js';

/**
 * One person's session in one tab, in step with all other tabs of the origin.
 *
 * Nothing but a genuine refusal of the server's signs out. It starts by itself;
 * `dispose` stops it.
 */
export class SessionManager {
  readonly apiUrl: string;
  /** In cookie mode nothing of a session is kept here. */
  readonly storage: TokenStorage;
  readonly activity: Activity;
  readonly #tab: Tab;
  readonly #undo: (() => void)[] = [];

  constructor(config: SessionConfig) {
    const inBrowser = typeof document !== 'undefined';
    const cookies = (config.transport ?? (inBrowser && !config.storage ? 'cookie' : 'header')) === 'cookie';
    this.apiUrl = config.apiUrl.replace(/\/+$/, '');
    this.storage = config.storage ?? (cookies ? new MemoryStorage() : secureStorage);
    const base = new URL(`${this.apiUrl}/auth`, inBrowser ? location.href : undefined).href;
    const keep = new Keep(cookies ? undefined : this.storage, base);
    const siblings = new Siblings(keep.shared ? `mv ${base}` : undefined, (m) => { hear(tab, m); });
    this.activity = new Activity(() => { siblings.tell({ t: 'active' }); });
    const tab: Tab = this.#tab = {
      config, cookies, base, keep, siblings,
      reports: inBrowser || config.trackActivity !== undefined,
      activity: this.activity,
      socket: config.events ?? (inBrowser && !(config.storage instanceof MemoryStorage))
        ? new LazySocket({ url: `${base}/sessions/events`.replace('http', 'ws'), ticket: () => ticket(tab), hear: (m) => { told(tab, m); } }) : undefined,
      drifted: driftWatch(),
      due: () => { void due(tab); },
      again: () => { look(tab, true); },
      changes: new Listeners(),
      events: new Listeners(),
      expiries: new Listeners(),
      exits: new Listeners(),
      snapshot: { status: 'loading', session: null, connection: 'ok' },
      reached: 'ok',
      epoch: 0,
      failures: 0,
      contact: -Infinity,
      reported: -Infinity,
    };
    const tracks = config.trackActivity ?? inBrowser;
    if (tracks) this.activity.subscribe(() => { reportIfDue(tab); });
    if (inBrowser) {
      if (tracks) this.activity.start();
      this.#undo = watchPage(tab);
    }
    tab.ready = load(tab);
  }

  // --- what pages see ---

  /** How things stand; the same object until something changes. */
  getSnapshot = (): Snapshot => this.#tab.snapshot;

  /** Calls back after every change of the snapshot; the answer unsubscribes. */
  subscribe = (listener: () => void): (() => void) => this.#tab.changes.add(listener);

  onSessionChange(listener: (event: SessionEvent, session: SessionView | null) => void): () => void {
    return this.#tab.events.add(listener);
  }

  /** Tells of an end that the server says is near. */
  onExpiring(listener: (expiry: Expiry) => void): () => void {
    return this.#tab.expiries.add(listener);
  }

  /** Tells that a sibling left in a hurry. */
  onExit(listener: () => void): () => void {
    return this.#tab.exits.add(listener);
  }

  /** Resolves when the manager knows who is here, or that it cannot know yet. */
  async ready(): Promise<void> {
    await this.#tab.ready;
  }

  /** Milliseconds to the session's absolute end, by the server's clock. */
  timeLeft(): number | undefined {
    return this.#tab.held && leftOfSession(this.#tab.held);
  }

  /** Stops timers, listeners and the socket. The session goes on. */
  dispose(): void {
    const tab = this.#tab;
    tab.disposed = true;
    tab.timer?.();
    tab.socket?.close();
    tab.activity.stop();
    tab.siblings.close();
    for (const stop of this.#undo) stop();
  }

  // --- sign-in and sign-out ---

  /** Opens a session with a credential. One that was here before is only replaced: to end it, sign out first. */
  createSession(auth: AuthData): Promise<SessionData> {
    return create(this.#tab, auth);
  }

  /** Proves anew that it is the same person; every earlier token is dead then. */
  reauthenticate(auth: Pick<AuthData, 'signature'>): Promise<SessionData> {
    return reauthenticate(this.#tab, auth.signature);
  }

  /** Takes over a pair that somebody else got. */
  storeSession(data: SessionData | StoredPair): Promise<void> {
    return takeOver(this.#tab, data);
  }

  /** The pair in this tab; nothing in cookie mode. */
  getStoredSession(): { token: string | null; refreshToken: string | null; expiresAt: string | null } {
    const h = this.#tab.held;
    return { token: h?.token ?? null, refreshToken: h?.refresh ?? null, expiresAt: h?.view.expires_at ?? null };
  }

  /** Forgets the session here without telling the server: cookies stay. To sign out, use logout. */
  clearSession(): Promise<void> {
    return end(this.#tab, undefined, false);
  }

  /**
   * Signs out in all tabs at once, and then at the server. True when the server
   * has confirmed; false when it could not be reached: it is told again when
   * there is a network, or when this origin is opened the next time.
   */
  logout(): Promise<boolean> {
    return logout(this.#tab);
  }

  /** As logout, and lets siblings leave too. */
  exit(): Promise<boolean> {
    this.#tab.siblings.tell({ t: 'exit', id: this.#tab.held?.view.session_id ?? '' });
    return this.logout();
  }

  // --- the token ---

  /** A session token for header mode, refreshed if its time is over; null in cookie mode and without a session. */
  getToken(): Promise<string | null> {
    return tokenOf(this.#tab);
  }

  /**
   * fetch with the session: to the service's own origin, the page's and the
   * configured ones only. When the answer says that the token's time is over it
   * refreshes and repeats, once.
   */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    return fetchWith(this.#tab, input, init);
  }

  /** Whether the session is good. It never fails: what cannot be known is a reason. */
  async validateSession(): Promise<Validation> {
    await this.#tab.ready;
    return validateCached(this.#tab);
  }

  /**
   * Exchanges the pair for the next, once for all tabs. It repeats what may
   * succeed, for some seconds. It fails with a SessionError; only one that says
   * that the session is over has signed out.
   */
  async refreshSession(): Promise<SessionData> {
    await this.#tab.ready;
    return refresh(this.#tab);
  }

  /** Sets the timer of the next refresh; an end moves it by as much as it differs from the token's. */
  scheduleRefresh(expiresAt?: string): void {
    schedule(this.#tab, expiresAt);
  }

  /** Tells the server that the person is here. */
  async reportActivity(): Promise<void> {
    await this.#tab.ready;
    await report(this.#tab);
  }
}
