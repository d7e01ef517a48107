import { SessionError } from './errors.js';
import { leave, onThreeShifts, quickExit } from './exit.js';
import type { Expiry } from './state.js';
import type { SessionManager } from './manager.js';
import { Listeners } from './listeners.js';
import { after, driftWatch } from './time.js';

export interface MonitorOptions {
  /** Milliseconds without a sign of the person after which the session is left; 30 minutes unless given. */
  activityThreshold?: number | undefined;
  /** Milliseconds before an end at which it warns; 2 minutes unless given, at least 20 s (WCAG 2.2.1). */
  warning?: number | undefined;
  /** Shown to the person: they may extend an idle end, and only that, by extend(). */
  onWarning?: (expiry: Expiry) => void;
  /** The warning is over: the person is back. */
  onResume?: () => void;
  /**
   * Where quickExit goes; it also happens when Shift is pressed three times. Null:
   * somebody else leaves the page, also when a sibling does.
   */
  exitUrl?: string | null;
}

/**
 * Warns before a session ends, and leaves it when nobody is there. It asks by
 * callbacks and never by a dialog that blocks the page. The server counts too,
 * and ends the session whatever happens here.
 */
export class SessionMonitor {
  readonly sessionManager: SessionManager;
  activityThreshold: number;
  readonly #warning: number;
  readonly #exitUrl: string | null | undefined;
  readonly #warnings = new Listeners<[Expiry]>();
  readonly #resumes = new Listeners<[]>();
  readonly #undo: (() => void)[] = [];
  readonly #drifted = driftWatch();
  #timer: (() => void) | undefined;
  #warned: Expiry['reason'] | undefined;

  constructor(sessionManager: SessionManager, options: MonitorOptions = {}) {
    this.sessionManager = sessionManager;
    this.activityThreshold = options.activityThreshold ?? 30 * 60_000;
    this.#warning = Math.max(20_000, options.warning ?? 120_000);
    this.#exitUrl = options.exitUrl;
    if (options.onWarning) this.#warnings.add(options.onWarning);
    if (options.onResume) this.#resumes.add(options.onResume);
    this.setupActivityTracking();
  }

  onWarning(f: (expiry: Expiry) => void): () => void {
    return this.#warnings.add(f);
  }

  onResume(f: () => void): () => void {
    return this.#resumes.add(f);
  }

  setupActivityTracking(): void {
    if (this.#undo.length) return;
    const m = this.sessionManager;
    this.#undo.push(
      m.activity.subscribe(() => { this.#resume(); }),
      m.onExpiring((e) => { if (e.reason === 'session_ended') this.#warn(e); }),
      m.onSessionChange((event) => {
        if (event === 'signed_in') m.activity.heard();
        if (event !== 'connection') this.#resume();
        if (event === 'signed_in') this.#warned = undefined;
        this.#arm();
      }),
    );
    const url = this.#exitUrl;
    if (url !== null) this.#undo.push(m.onExit(() => { leave(url); }));
    if (typeof document !== 'undefined') {
      const look = () => { void this.checkInactivity(); };
      document.addEventListener('visibilitychange', look);
      this.#undo.push(() => { document.removeEventListener('visibilitychange', look); });
      if (this.#exitUrl) this.#undo.push(onThreeShifts(() => { void this.quickExit(); }));
    }
    this.#arm();
  }

  /** The person is here. */
  updateActivity(): void {
    this.sessionManager.activity.sign();
  }

  /** Looks how long nobody was there, and warns or leaves. */
  async checkInactivity(): Promise<void> {
    if (this.sessionManager.getSnapshot().status !== 'authenticated') return;
    if (this.#drifted()) await this.sessionManager.validateSession(); // the machine slept, or its clock was set: the server knows
    const rest = this.activityThreshold - this.sessionManager.activity.idle;
    if (rest <= 0) await this.logout();
    else if (rest <= this.#warning) this.handleInactivity();
    else this.#checkEnd();
    this.#arm();
  }

  /** Warns that the session is about to be left. */
  handleInactivity(): void {
    const rest = this.activityThreshold - this.sessionManager.activity.idle;
    this.#warn({ reason: 'idle_timeout', endsIn: Math.max(0, Math.ceil(rest / 1000)) });
  }

  /** The person answered the warning: the server is told. Fails when it was too late. */
  async extend(): Promise<void> {
    if (this.sessionManager.activity.idle >= this.activityThreshold) {
      await this.logout();
      throw new SessionError('session_expired', 'It is too late: the session was left.', { details: { reason: 'idle_timeout' } });
    }
    await this.sessionManager.reportActivity();
    this.updateActivity();
  }

  logout(): Promise<boolean> {
    return this.sessionManager.logout();
  }

  /**
   * Leaves at once: the page goes blank, the session ends here, in all tabs and
   * at the server, and the address becomes another. The browser's history keeps
   * what was visited before: this cannot erase it.
   */
  quickExit(url = this.#exitUrl ?? undefined): Promise<void> {
    return quickExit(this.sessionManager, url);
  }

  /** Stops timers and listeners. The manager goes on. */
  dispose(): void {
    this.#timer?.();
    for (const undo of this.#undo.splice(0)) undo();
    this.#warnings.clear();
    this.#resumes.clear();
  }

  #checkEnd(): void {
    const left = this.sessionManager.timeLeft() ?? Infinity;
    if (left <= this.#warning) this.#warn({ reason: 'session_ended', endsIn: Math.max(0, Math.ceil(left / 1000)) });
  }

  #warn(e: Expiry): void {
    if (this.#warned === e.reason) return;
    this.#warned = e.reason;
    this.#warnings.call(e);
  }

  #resume(): void {
    if (this.#warned !== 'idle_timeout') return;
    this.#warned = undefined;
    this.#resumes.call();
    this.#arm();
  }

  /** Wakes at the next moment that matters. A late timer is no harm. */
  #arm(): void {
    this.#timer?.();
    if (!this.#undo.length || this.sessionManager.getSnapshot().status !== 'authenticated') return;
    const idle = this.activityThreshold - this.sessionManager.activity.idle;
    const end = (this.sessionManager.timeLeft() ?? Infinity) - this.#warning;
    const next = Math.min(idle > this.#warning ? idle - this.#warning : idle, end > 0 ? end : Infinity);
    this.#timer = after(Math.max(next, 250), () => { void this.checkInactivity(); });
  }
}
