import type { Activity } from './activity.js';
import type { Siblings } from './channel.js';
import type { SessionConfig } from './config.js';
import type { SessionError } from './errors.js';
import type { Held } from './held.js';
import type { Keep } from './keep.js';
import type { LazySocket } from './lazy.js';
import type { Listeners } from './listeners.js';
import type { Owed } from './logout.js';
import type { Connection, Expiry, SessionData, SessionEvent, SessionView, Snapshot, Validation } from './state.js';

/**
 * What one tab has and knows: the session, how it is shown to the page, and
 * whom the tab speaks with. The manager's parts are functions on it, each file
 * with one subject; a page never gets it.
 */
export interface Tab {
  readonly config: SessionConfig;
  readonly cookies: boolean;
  /** What the calls' addresses begin with, and by which tabs of the same service know one another. */
  readonly base: string;
  /** Whether somebody tells the server about the person: this tab, or the page. */
  readonly reports: boolean;
  readonly keep: Keep;
  readonly siblings: Siblings;
  readonly activity: Activity;
  readonly socket: LazySocket | undefined;
  readonly drifted: () => boolean;

  readonly changes: Listeners<[]>;
  readonly events: Listeners<[SessionEvent, SessionView | null]>;
  readonly expiries: Listeners<[Expiry]>;
  readonly exits: Listeners<[]>;
  snapshot: Snapshot;
  /** Whether the service can be reached; the snapshot has it as soon as it may be published. */
  reached: Connection;
  /** A lock is held: nobody is called back. */
  quiet?: boolean;

  held?: Held | undefined;
  /** Rises with every session that begins or ends here: what was asked before is about another. */
  epoch: number;
  /** Until the tab knows who is here, or that it cannot know yet. */
  ready?: Promise<void>;
  disposed?: boolean;
  /** The token's time is nearly over, or the session's. */
  readonly due: () => void;
  /** Something failed a while ago: see how things stand. */
  readonly again: () => void;
  timer?: () => void;
  /** Of what is repeated by itself, since the last success. */
  failures: number;
  /** Steady time at which the server was last heard. */
  contact: number;
  /** Until when the server asked not to be called by itself. */
  blocked?: { until: number; by: SessionError } | undefined;
  refreshing?: Promise<SessionData> | undefined;
  /** A refresh token that must not be shown again. */
  superseded?: string | undefined;
  validating?: Promise<Validation> | undefined;
  validated?: { at: number; step: string; value: Validation & { valid: true } } | undefined;
  owed?: Owed | undefined;
  saying?: Promise<boolean> | undefined;
  /** Steady time at which the person was last reported. */
  reported: number;
}
