import { Activity } from './activity.js';
import { Siblings } from './channel.js';
import type { Message } from './channel.js';
import { SessionError, endReason, endedBy } from './errors.js';
import type { EndReason } from './errors.js';
import { left, leftOfSession, nobody, take, viewOf } from './held.js';
import type { Held } from './held.js';
import { call, codeOf } from './http.js';
import type { Answer, Call } from './http.js';
import { Keep } from './keep.js';
import type { Mark } from './keep.js';
import { Listeners } from './listeners.js';
import { LazySocket, secureStorage } from './lazy.js';
import { exclusive } from './lock.js';
import { Farewell } from './farewell.js';
import type { Told } from './socket.js';
import { MemoryStorage } from './storage.js';
import type { TokenStorage } from './storage.js';
import type { Connection, Expiry, SessionData, SessionEvent, SessionType, SessionView, Snapshot, Validation } from './state.js';
import { after, backoff, driftWatch, now, sleep } from './time.js';

export interface SessionConfig {
  /** The service's address with its `/api`, such as `/api` or `https://sessions.example.org/api`. */
  apiUrl: string;
  /** `cookie`: HttpOnly cookies, the default in browsers. `header`: tokens in `storage`. */
  transport?: 'cookie' | 'header';
  /** Where tokens are kept in header mode; SecureStorage unless given. Giving one means header mode. */
  storage?: TokenStorage;
  /** Seconds before a token's end at which it is refreshed; what the server proposes unless given. */
  refreshThreshold?: number;
  /** Milliseconds for which a validation is not asked for again; 5,000 unless given. */
  validationCache?: number;
  /** Further origins that fetch() may send the session token to. */
  origins?: string[];
  /** False: no WebSocket. So it is with a MemoryStorage unless true: handshakes carry the cookies of who is signed in beside, under a name. */
  events?: boolean;
  /** False: somebody else tells about the person, by reportActivity(). */
  trackActivity?: boolean;
}

/** What signs in: a credential, in the specification's word a signature. */
export interface AuthData {
  signature: string;
  type?: SessionType;
  /** Seconds of one token. */
  duration?: number;
  permissions?: string[];
  /** A coarse label of the device, such as "Firefox on Android". */
  deviceLabel?: string;
}

const attempts = 6; // of one refreshSession
const refreshTimeout = 8000; // shorter than anybody's patience with the lock matters
const longestWait = 15_000; // for a repetition inside a call
const checkEvery = 60_000; // of a page that is looked at again
const reportEvery = 60_000; // the server writes no finer

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
  readonly #config: SessionConfig;
  readonly #cookies: boolean;
  readonly #name: string;
  readonly #keep: Keep;
  readonly #siblings: Siblings;
  readonly #farewell: Farewell;
  readonly #socket: LazySocket | undefined;
  readonly #changes = new Listeners<[]>();
  readonly #events = new Listeners<[SessionEvent, SessionView | null]>();
  readonly #expiries = new Listeners<[Expiry]>();
  readonly #exits = new Listeners<[]>();
  readonly #drifted = driftWatch();
  readonly #undo: (() => void)[] = [];

  #snapshot: Snapshot = { status: 'loading', session: null, connection: 'ok' };
  #held: Held | undefined;
  #epoch = 0; // rises with every session that begins or ends here
  #ready: Promise<void>;
  #timer: (() => void) | undefined;
  #failures = 0;
  #flight: Promise<SessionData> | undefined;
  #validating: Promise<Validation> | undefined;
  #validated: { at: number; step: string; value: Validation } | undefined;
  #contact = -Infinity; // when the server was last heard
  #blocked: { until: number; by: SessionError } | undefined;
  #superseded: string | undefined; // a refresh token that must not be shown again
  #reported = -Infinity;
  #disposed = false;
  #locked = false;
  #reached: Connection = 'ok';

  constructor(config: SessionConfig) {
    const inBrowser = typeof document !== 'undefined';
    this.#config = config;
    this.apiUrl = config.apiUrl.replace(/\/+$/, '');
    this.#cookies = (config.transport ?? (inBrowser && !config.storage ? 'cookie' : 'header')) === 'cookie';
    this.storage = config.storage ?? (this.#cookies ? new MemoryStorage() : secureStorage);
    this.#name = new URL(this.apiUrl, inBrowser ? location.href : undefined).href;
    this.#keep = new Keep(this.#cookies ? undefined : this.storage, this.#name);
    this.#siblings = new Siblings(this.#keep.shared ? `mv ${this.#name}` : undefined, (m) => { this.#hear(m); });
    this.#farewell = new Farewell(this.#url(''), this.#name, this.#cookies, this.#keep.shared);
    this.activity = new Activity(() => { this.#siblings.tell({ t: 'active' }); });
    if (config.events ?? (inBrowser && !(config.storage instanceof MemoryStorage))) {
      const url = this.#name.replace(/^http/, 'ws').replace(/\/+$/, '') + '/auth/sessions/events';
      this.#socket = new LazySocket({ url, ticket: () => this.#ticket(), hear: (m) => { this.#told(m); } });
    }
    if (this.#tracks) {
      this.activity.start();
      this.activity.subscribe(() => { this.#reportIfDue(); });
    }
    this.#watchPage();
    this.#ready = this.#load();
  }

  // --- what pages see ---

  /** How things stand; the same object until something changes. */
  getSnapshot = (): Snapshot => this.#snapshot;

  /** Calls back after every change of the snapshot; the answer unsubscribes. */
  subscribe = (listener: () => void): (() => void) => this.#changes.add(listener);

  onSessionChange(listener: (event: SessionEvent, session: SessionView | null) => void): () => void {
    return this.#events.add(listener);
  }

  /** Tells of an end that the server says is near. */
  onExpiring(listener: (expiry: Expiry) => void): () => void {
    return this.#expiries.add(listener);
  }

  /** Tells that a sibling left in a hurry. */
  onExit(listener: () => void): () => void {
    return this.#exits.add(listener);
  }

  /** Resolves when the manager knows who is here, or that it cannot know yet. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Milliseconds to the session's absolute end, by the server's clock. */
  timeLeft(): number | undefined {
    return this.#held && leftOfSession(this.#held);
  }

  /** Stops timers, listeners and the socket. The session goes on. */
  dispose(): void {
    this.#disposed = true;
    this.#timer?.();
    this.#socket?.close();
    this.activity.stop();
    this.#siblings.close();
    for (const undo of this.#undo.splice(0)) undo();
  }

  // --- sign-in and sign-out ---

  /** Opens a session with a credential. One that was here before is only replaced: to end it, sign out first. */
  async createSession(auth: AuthData): Promise<SessionData> {
    if (auth.type === 'anonymous' && (this.#cookies || this.#keep.shared)) {
      throw new SessionError('invalid_request', 'Anonymous sessions need a MemoryStorage.');
    }
    await this.#ready;
    await this.#farewell.say();
    const { data, at } = await this.#call<SessionData>('/sessions', {
      method: 'POST',
      headers: { Authorization: `Bearer ${auth.signature}` },
      body: {
        session_type: auth.type ?? 'standard',
        duration: auth.duration,
        permissions: auth.permissions,
        transport: this.#cookies ? 'cookie' : 'header',
        activity: this.#tracks || this.#config.trackActivity === false ? 'reported' : undefined,
        device_label: auth.deviceLabel,
      },
    }, 'explicit');
    await this.#begin(take(data, at));
    return data;
  }

  /** Proves anew that it is the same person; every earlier token is dead then. */
  async reauthenticate(auth: Pick<AuthData, 'signature'>): Promise<SessionData> {
    await this.#ready;
    const epoch = this.#epoch;
    const { data, at } = await this.#call<SessionData>('/sessions/reauthenticate', { method: 'POST', body: { credential: auth.signature } }, 'explicit');
    if (epoch !== this.#epoch) throw this.#over();
    await this.#begin(take(data, at), 'updated');
    return data;
  }

  /** Takes over a pair that somebody else got. */
  async storeSession(data: SessionData | { session_token: string; refresh_token: string; expires_at: string }): Promise<void> {
    await this.#ready;
    const full = 'expires_in' in data ? data : {
      ...nobody, ...data, expires_in: (Date.parse(data.expires_at) - Date.now()) / 1000, refresh_at: data.expires_at,
    };
    await this.#begin(take(full, now()));
    if (!full.session_id) await this.#validate();
  }

  /** The pair in this tab; nothing in cookie mode. */
  getStoredSession(): { token: string | null; refreshToken: string | null; expiresAt: string | null } {
    const h = this.#held;
    return { token: h?.token ?? null, refreshToken: h?.refresh ?? null, expiresAt: h?.view.expires_at ?? null };
  }

  /** Forgets the session here without telling the server: cookies stay. To sign out, use logout. */
  async clearSession(): Promise<void> {
    await this.#end(undefined, false);
  }

  /**
   * Signs out in all tabs at once, and then at the server. True when the server
   * has confirmed; false when it could not be reached: it is told again when
   * there is a network, or when this origin is opened the next time.
   */
  async logout(): Promise<boolean> {
    const held = this.#held;
    const noted = this.#farewell.note(held, this.#snapshot.status === 'loading');
    const told = this.#farewell.say();
    await Promise.all([this.#end('logout', true), noted]);
    return told;
  }

  /** As logout, and lets siblings leave too. */
  async exit(): Promise<boolean> {
    this.#siblings.tell({ t: 'exit', id: this.#held?.view.session_id ?? '' });
    return this.logout();
  }

  // --- the token ---

  /** A session token for header mode, refreshed if its time is over; null in cookie mode and without a session. */
  async getToken(): Promise<string | null> {
    await this.#ready;
    if (this.#held?.token && left(this.#held) <= 0) await this.refreshSession();
    return this.#held?.token ?? null;
  }

  /**
   * fetch with the session: to the service's own origin, the page's and the
   * configured ones only. When the answer says that the token's time is over it
   * refreshes and repeats, once.
   */
  async fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input instanceof Request ? input : new URL(input, globalThis.location?.href ?? this.#name), init);
    const { origin } = new URL(request.url);
    const { origin: own } = new URL(this.#name);
    if (![own, globalThis.location?.origin, ...(this.#config.origins ?? [])].includes(origin)) {
      throw new SessionError('origin_denied', `${origin} is not in origins.`);
    }
    await this.#ready;
    const send = async () => {
      const copy = request.clone();
      const token = await this.getToken();
      if (token) copy.headers.set('Authorization', `Bearer ${token}`);
      if (this.#cookies && this.#held?.csrf && origin === own) copy.headers.set('Session-CSRF', this.#held.csrf);
      return fetch(copy, token ? { credentials: 'omit' } : origin === own ? { credentials: 'include' } : {});
    };
    const first = await send();
    if (first.status !== 401 || !this.#held) return first;
    const code = await codeOf(first);
    if (code?.code !== 'session_expired' || endedBy(code)) return first;
    await this.refreshSession();
    return send();
  }

  /** Whether the session is good. It never fails: what cannot be known is a reason. */
  async validateSession(): Promise<Validation> {
    await this.#ready;
    const v = this.#validated;
    const age = v ? now() - v.at : Infinity;
    if (v && v.step === this.#held?.step && age < (this.#config.validationCache ?? 5000) && v.value.valid) {
      return { ...v.value, time_remaining: Math.max(0, v.value.time_remaining - Math.round(age / 1000)) };
    }
    return this.#validate();
  }

  /**
   * Exchanges the pair for the next, once for all tabs. It repeats what may
   * succeed, for some seconds. It fails with a SessionError; only one that says
   * that the session is over has signed out.
   */
  async refreshSession(): Promise<SessionData> {
    await this.#ready;
    const h = this.#held;
    if (!h) throw new SessionError('session_invalid', 'There is no session.');
    this.#flight ??= this.#refresh(h.step, this.#epoch).finally(() => { this.#flight = undefined; });
    return this.#flight;
  }

  /** Sets the timer of the next refresh; an end moves it by as much as it differs from the token's. */
  scheduleRefresh(expiresAt?: string): void {
    const h = this.#held;
    this.#timer?.();
    if (!h || this.#disposed) return;
    const shift = expiresAt ? Date.parse(expiresAt) - Date.parse(h.view.expires_at) || 0 : 0;
    const life = left(h) + shift;
    const threshold = this.#config.refreshThreshold;
    const lead = h.lead === undefined ? 0 : Math.min(threshold === undefined ? h.lead : threshold * 1000, Math.max(h.life, 0) / 2);
    this.#timer = after(Math.max(life - lead, 250 + Math.random() * 750), () => { void this.#due(); });
  }

  /** Tells the server that the person is here. */
  async reportActivity(): Promise<void> {
    await this.#ready;
    await this.#report();
  }

  // --- refreshing ---

  async #refresh(step: string, epoch: number): Promise<SessionData> {
    for (let attempt = 1; ; attempt++) {
      try {
        const stepped = await exclusive(`mv ${this.#name}`, () => this.#quietly(() => this.#step(step, epoch)));
        this.#failures = 0;
        this.#connection(this.#reached);
        this.scheduleRefresh();
        if (stepped) this.#siblings.tell({ t: 'step', step: this.#held?.step ?? '' });
        this.#show(this.#view(), 'refreshed');
        return this.#data();
      } catch (e) {
        this.#connection(this.#reached);
        if (!(e instanceof SessionError)) throw e;
        const reason = endedBy(e);
        if (reason && epoch === this.#epoch) await this.#end(reason, true);
        const wait = Math.max(backoff(attempt), e.retryAfter ?? 0);
        if (!e.retryable || attempt === attempts || wait > longestWait || this.#disposed || (globalThis.navigator as Partial<Navigator> | undefined)?.onLine === false) throw e;
        await sleep(wait);
      }
      if (epoch !== this.#epoch) throw this.#over();
      if (this.#held && this.#held.step !== step) return this.#data();
    }
  }

  /** One exchange, under the lock; false when a sibling has made it. */
  async #step(step: string, epoch: number): Promise<boolean> {
    const mark = await this.#keep.mark();
    if (epoch !== this.#epoch) throw this.#over();
    if (this.#held?.step !== step || (await this.#adopt(mark))) return false;
    const sent = this.#held.refresh;
    if (sent && sent === this.#superseded) throw superseded();
    let answer: Answer<SessionData>;
    try {
      answer = await this.#call<SessionData>('/sessions/refresh', {
        method: 'POST', body: sent ? { refresh_token: sent } : {}, timeout: refreshTimeout,
      }, 'refresh');
    } catch (e) {
      if (e instanceof SessionError && e.code === 'refresh_superseded') this.#superseded = sent;
      if (e instanceof SessionError && (e.code === 'refresh_superseded' || endedBy(e)) && (await this.#adopt(await this.#keep.mark()))) return false;
      throw e;
    }
    if (epoch !== this.#epoch) throw this.#over(); // signed out meanwhile: what came is dead
    const next = take(answer.data, answer.at);
    await this.#keep.put(next);
    if (epoch !== this.#epoch) {
      await this.#keep.forget();
      throw this.#over();
    }
    this.#held = next;
    return true;
  }

  /** Takes what a sibling stored; false when there is nothing newer. */
  async #adopt(mark: Mark | undefined): Promise<boolean> {
    const h = this.#held;
    const epoch = this.#epoch;
    if (!h) return false;
    if (this.#cookies) {
      if (!mark || mark.step === h.step) return false;
      this.#held = { ...h, step: mark.step, since: mark.at, life: mark.left, lead: mark.lead, view: { ...h.view, expires_at: mark.end } };
      return true;
    }
    const kept = await this.#keep.get();
    if (!kept || kept.refresh === h.refresh || epoch !== this.#epoch) return false;
    this.#held = kept.view.session_id ? kept : { ...kept, view: h.view };
    return true;
  }

  /** The token's time is nearly over, or the session's. */
  async #due(): Promise<void> {
    try {
      if (this.#held?.lead === undefined) await this.#validate();
      else await this.refreshSession();
    } catch (e) {
      this.#later(e);
    }
  }

  /** What failed is tried again by itself, as long as nobody knows that the session is over. */
  #later(e: unknown): void {
    this.#timer?.();
    if (this.#disposed || (!this.#held && this.#snapshot.status !== 'loading')) return;
    const least = e instanceof SessionError ? (e.retryAfter ?? 0) : 0;
    this.#timer = after(least + 500 + backoff(++this.#failures), () => { this.#look(true); });
  }

  // --- the server ---

  #url(path: string): string {
    return `${this.#name.replace(/\/+$/, '')}/auth${path}`;
  }

  async #call<T>(path: string, c: Call, kind: 'background' | 'explicit' | 'refresh' = 'background'): Promise<Answer<T>> {
    const h = this.#held;
    if (kind !== 'explicit' && this.#blocked && now() < this.#blocked.until) throw this.#blocked.by;
    const headers: Record<string, string> = { ...c.headers };
    if (this.#cookies && c.method && h?.csrf) headers['Session-CSRF'] = h.csrf;
    if (!this.#cookies && h?.token && kind !== 'refresh') headers['Authorization'] ??= `Bearer ${h.token}`;
    try {
      const answer = await call<T>(this.#url(path), { ...c, headers, cookies: this.#cookies });
      this.#heard();
      return answer;
    } catch (e) {
      if (e instanceof SessionError) {
        if (e.status) this.#heard();
        else this.#connection('lost');
        if (e.retryAfter && e.retryable) this.#blocked = { until: now() + e.retryAfter, by: e };
      }
      throw e;
    }
  }

  #heard(): void {
    this.#contact = now();
    this.#blocked = undefined;
    this.#connection('ok');
  }

  /** Learns who is here, from what is kept and from the server. */
  async #load(): Promise<void> {
    const epoch = this.#epoch;
    await this.#farewell.begin();
    const kept = await this.#keep.get();
    if (epoch !== this.#epoch) return;
    if (!this.#cookies) {
      this.#held = kept;
      if (!kept) { this.#show(null); return; }
      if (kept.view.session_id) { this.#show(kept.view); this.scheduleRefresh(); void this.#validate(); }
      else await this.#validate();
      return;
    }
    try {
      await this.#current(epoch);
    } catch (e) {
      if (epoch !== this.#epoch) return;
      if (e instanceof SessionError && endedBy(e)) {
        this.#held = undefined;
        this.#show(null, undefined, e.code === 'session_expired' ? endedBy(e) : undefined);
      } else this.#later(e);
    }
  }

  /** The session that the cookies are of. */
  async #current(epoch: number): Promise<void> {
    const mark = await this.#keep.mark();
    const base = { view: nobody, token: undefined, refresh: undefined, csrf: undefined, step: mark?.step ?? 'first', since: now(), life: 0, lead: 300_000 };
    try {
      const { data, at, date } = await this.#call<SessionView & { csrf_token: string }>('/sessions/current', {});
      if (epoch !== this.#epoch) return;
      const view = viewOf(data);
      const life = date === undefined ? mark?.left ?? 0 : Math.max(0, Date.parse(data.expires_at) - date);
      const last = Date.parse(data.session_expires_at) <= Date.parse(data.expires_at);
      this.#held = { ...base, view, csrf: data.csrf_token, since: at, life, lead: last ? undefined : base.lead * (0.9 + Math.random() / 5) };
    } catch (e) {
      if (!(e instanceof SessionError) || e.code !== 'session_expired' || endedBy(e) || !e.details.csrf_token) throw e;
      this.#held = { ...base, csrf: e.details.csrf_token };
      await this.#refresh(this.#held.step, epoch);
      if (!this.#held?.view.session_id) await this.#current(epoch);
      return;
    }
    if (await this.#farewell.concerns(this.#held)) { // signed out here, and the server does not know it yet
      this.#held = undefined;
      this.#show(null, undefined, 'logout');
      return;
    }
    this.#show(this.#held.view);
    this.scheduleRefresh();
  }

  async #validate(): Promise<Validation> {
    if (!this.#held) return { valid: false, reason: this.#snapshot.status === 'loading' ? 'network_error' : 'no_token' };
    this.#validating ??= this.#ask().finally(() => { this.#validating = undefined; });
    return this.#validating;
  }

  async #ask(again = true): Promise<Validation> {
    const epoch = this.#epoch;
    const step = this.#held?.step ?? '';
    try {
      const { data, at } = await this.#call<Validation & { valid: true } & SessionView>('/sessions/validate', { headers: { 'Session-Activity': 'background' } });
      const view = viewOf(data);
      const h = this.#held;
      if (h && epoch === this.#epoch && h.step === step) {
        this.#held = { ...h, view, since: at, life: data.time_remaining * 1000 };
        this.#validated = { at: now(), step, value: data };
        this.#show(this.#held.view);
        this.scheduleRefresh();
      }
      return data;
    } catch (e) {
      if (!(e instanceof SessionError)) throw e;
      if (epoch === this.#epoch && e.code === 'session_expired' && !endedBy(e) && again) {
        try {
          await this.refreshSession();
          return await this.#ask(false);
        } catch { /* it told, or will be tried again */ }
      }
      if (!(await this.#endIf(e, epoch, step)) && e.retryable) this.#later(e);
      return { valid: false, reason: e.code };
    }
  }

  /** Ends the session if the error says so, of the pair that it was about. */
  async #endIf(e: unknown, epoch: number, step: string): Promise<boolean> {
    const reason = e instanceof SessionError ? endedBy(e) : undefined;
    if (!reason || epoch !== this.#epoch || this.#held?.step !== step) return false;
    if (await this.#adopt(await this.#keep.mark())) {
      void this.#validate(); // the refusal was about an older pair
      return false;
    }
    await this.#end(reason, true);
    return true;
  }

  // --- activity ---

  get #tracks(): boolean {
    return this.#config.trackActivity ?? typeof document !== 'undefined';
  }

  #reportIfDue(): void {
    if (this.#held && this.activity.idle < 1000 && now() - this.#reported >= reportEvery) void this.#report().catch(() => undefined);
  }

  async #report(): Promise<void> {
    const epoch = this.#epoch;
    const step = this.#held?.step;
    if (step === undefined) return;
    this.#reported = now();
    try {
      const { data } = await this.#call<Pick<SessionView, 'idle_expires_at'>>('/sessions/activity', { method: 'POST', body: {} });
      this.#siblings.tell({ t: 'reported' });
      if (this.#held && epoch === this.#epoch && typeof data.idle_expires_at === 'string') {
        this.#held = { ...this.#held, view: { ...this.#held.view, idle_expires_at: data.idle_expires_at } };
      }
    } catch (e) {
      this.#reported = now() - reportEvery + 10_000;
      if (await this.#endIf(e, epoch, step)) throw e;
      if (e instanceof SessionError && e.code === 'session_expired') await this.#due();
      throw e;
    }
  }

  // --- beginning and ending ---

  async #begin(h: Held, event: SessionEvent = 'signed_in'): Promise<void> {
    const epoch = ++this.#epoch;
    this.#held = h;
    this.#reported = now();
    await this.#keep.put(h);
    if (epoch !== this.#epoch) return;
    this.#socket?.close();
    this.#siblings.tell({ t: 'changed' });
    this.#show(h.view, event);
    this.scheduleRefresh();
  }

  async #end(reason: EndReason | undefined, tell: boolean): Promise<void> {
    const h = this.#held;
    this.#epoch++;
    this.#held = this.#validated = this.#superseded = undefined;
    this.#timer?.();
    if (h && tell) this.#siblings.tell({ t: 'ended', id: h.view.session_id, reason: reason ?? '' });
    this.#show(null, h ? 'signed_out' : undefined, reason);
    await this.#keep.forget();
  }

  #over(): SessionError {
    return new SessionError('session_invalid', 'The session ended meanwhile.');
  }

  #view(): SessionView | null {
    return this.#held?.view.session_id ? this.#held.view : null;
  }

  #data(): SessionData {
    const h = this.#held;
    if (!h) throw this.#over();
    const tokens = h.token && h.refresh ? { session_token: h.token, refresh_token: h.refresh } : {};
    return { ...h.view, ...tokens, expires_in: Math.max(0, Math.round(left(h) / 1000)), refresh_at: null };
  }

  /** Work under the lock, during which nobody is called back. */
  async #quietly<T>(work: () => Promise<T>): Promise<T> {
    this.#locked = true;
    try {
      return await work();
    } finally {
      this.#locked = false;
    }
  }

  #connection(connection: Connection): void {
    this.#reached = connection;
    if (this.#locked || this.#disposed || this.#snapshot.connection === connection) return;
    this.#snapshot = { ...this.#snapshot, connection };
    this.#changes.call();
    this.#events.call('connection', this.#snapshot.session);
  }

  /** Publishes how things stand. */
  #show(session: SessionView | null, event?: SessionEvent, reason?: EndReason): void {
    if (this.#disposed) return;
    const { connection } = this.#snapshot;
    if (!session && this.#held) { this.#changes.call(); return; } // not known yet whose it is
    if (session !== this.#snapshot.session || this.#snapshot.status === 'loading') {
      this.#snapshot = session ? { status: 'authenticated', session, connection }
        : reason ? { status: 'unauthenticated', session: null, reason, connection } : { status: 'unauthenticated', session: null, connection };
      this.#changes.call();
    }
    if (session) this.#socket?.open();
    else this.#socket?.close();
    if (event) this.#events.call(event, session);
  }

  // --- siblings, socket, page ---

  #hear(m: Message): void {
    const h = this.#held;
    switch (m.t) {
      case 'step':
        if (h && h.step !== m.step) void this.#follow();
        return;
      case 'changed':
        this.#epoch++;
        void (this.#ready = this.#load());
        return;
      case 'exit':
      case 'ended':
        if (!h || h.view.session_id !== m.id) return;
        void this.#end(m.t === 'exit' ? 'logout' : endReason(m.reason), false);
        if (m.t === 'exit') this.#exits.call();
        return;
      case 'active':
        this.activity.heard();
        return;
      case 'reported':
        this.#reported = now();
    }
  }

  async #follow(): Promise<void> {
    if (!(await this.#adopt(await this.#keep.mark()))) return;
    this.scheduleRefresh();
    this.#show(this.#view(), 'refreshed');
  }

  async #ticket(): Promise<string | undefined> {
    if (this.#cookies) return undefined;
    const { data } = await this.#call<{ ticket: string }>('/sessions/events/ticket', { method: 'POST', body: {} });
    return data.ticket;
  }

  #told(m: Told): void {
    const h = this.#held;
    if (!h) return;
    switch (m.event) {
      case 'session.ready':
        if (m.session_id === h.view.session_id) return;
        this.#socket?.close(); // the cookies are another's now: see whose
        this.#hear({ t: 'changed' });
        return;
      case 'session.updated':
        this.#hear({ t: 'changed' });
        return;
      case 'session.expiring':
        this.#expiries.call({ reason: m.reason, endsIn: m.ends_in });
        return;
      case 'session.ended':
        void this.#end(endReason(m.reason), true);
    }
  }

  #watchPage(): void {
    if (typeof document === 'undefined') return;
    const on = (target: EventTarget, kind: string, f: (e: Event) => void) => {
      target.addEventListener(kind, f);
      this.#undo.push(() => { target.removeEventListener(kind, f); });
    };
    on(document, 'visibilitychange', () => { if (document.visibilityState === 'visible') this.#look(false); });
    on(globalThis, 'online', () => { this.#look(true); });
    on(globalThis, 'pageshow', (e) => { if ((e as PageTransitionEvent).persisted) this.#look(true); });
    on(globalThis, 'pagehide', () => { this.#socket?.close(); }); // an open one would keep the page out of the back/forward cache
  }

  /** Somebody looks at the page again: timers may have slept, siblings may have gone on. */
  #look(surely: boolean): void {
    void this.#farewell.say();
    const drifted = this.#drifted();
    const h = this.#held;
    if (!h) {
      if (this.#snapshot.status === 'loading') this.#ready = this.#load();
      return;
    }
    this.#socket?.open();
    if (h.lead !== undefined && left(h) <= Math.min(h.lead, h.life / 2)) void this.#due();
    else if (surely || drifted || now() - this.#contact > checkEvery) void this.#validate();
  }
}

const superseded = () => new SessionError('refresh_superseded', 'Another tab has the newer pair.', { status: 409 });
