const protocol = 'mentalverse.session.v1';
const longest = 4096; // characters of a message
const settled = 10_000; // a socket that lived so long was no failure

/** What the server tells on its socket, checked to be of a known kind. */
export type Told =
  | { event: 'session.ready' | 'session.updated'; session_id?: string; permissions: string[]; idle_expires_at?: string; session_expires_at?: string }
  | { event: 'session.expiring'; reason: 'idle_timeout' | 'session_ended'; ends_in: number }
  | { event: 'session.ended'; reason: string };

export function parseTold(data: unknown): Told | undefined {
  if (typeof data !== 'string' || data.length > longest) return undefined;
  let m: unknown;
  try {
    m = JSON.parse(data);
  } catch {
    return undefined;
  }
  const { event, permissions, reason, ends_in: endsIn } = Object(m) as Record<string, unknown>;
  const known =
    ((event === 'session.ready' || event === 'session.updated') && Array.isArray(permissions) && permissions.every((p) => typeof p === 'string')) ||
    (event === 'session.expiring' && (reason === 'idle_timeout' || reason === 'session_ended') && typeof endsIn === 'number' && endsIn >= 0) ||
    (event === 'session.ended' && typeof reason === 'string');
  return known ? (m as unknown as Told) : undefined;
}

export interface SocketOptions {
  url: string;
  /** What opens the socket beside the protocol: a ticket, or nothing for cookies. It may fail. */
  ticket: () => Promise<string | undefined>;
  hear: (m: Told) => void;
  /** Calls work after some milliseconds; the answer takes the call back. */
  after: (ms: number, work: () => void) => () => void;
  /** Milliseconds to wait after so many failures. */
  backoff: (failures: number) => number;
}

/**
 * The server's stream of events, opened anew with full jitter when it breaks.
 * A browser tells no page why a handshake was refused, so every refusal is
 * waited out; checks on focus go on meanwhile.
 */
export class Socket {
  readonly #o: SocketOptions;
  #socket: WebSocket | undefined;
  #cancel: (() => void) | undefined;
  #failures = 0;
  #wanted = false;

  constructor(o: SocketOptions) {
    this.#o = o;
  }

  open(): void {
    if (this.#wanted || typeof WebSocket === 'undefined') return;
    this.#wanted = true;
    this.#failures = 0;
    void this.#connect();
  }

  close(): void {
    this.#wanted = false;
    this.#cancel?.();
    const s = this.#socket;
    this.#socket = undefined;
    s?.close(1000);
  }

  async #connect(): Promise<void> {
    const attempt = {};
    this.#attempt = attempt;
    try {
      const ticket = await this.#o.ticket();
      if (!this.#wanted || this.#attempt !== attempt) return;
      this.#listen(new WebSocket(this.#o.url, ticket ? [protocol, `mentalverse.ticket.${ticket}`] : [protocol]));
    } catch {
      this.#again(0);
    }
  }

  #attempt: object | undefined;

  #listen(s: WebSocket): void {
    this.#socket = s;
    let settle: (() => void) | undefined;
    s.onopen = () => { settle = this.#o.after(settled, () => { this.#failures = 0; }); };
    s.onmessage = (e: MessageEvent<unknown>) => {
      const told = this.#socket === s && parseTold(e.data);
      if (told) this.#o.hear(told);
    };
    s.onclose = (e) => {
      settle?.();
      if (this.#socket !== s) return;
      this.#socket = undefined;
      if (e.code === 4001 || e.code === 4003) this.#wanted = false; // the session ended; or we are wrong, and would be again
      else this.#again(e.code === 4004 ? 1000 : 0);
    };
  }

  #again(least: number): void {
    if (!this.#wanted) return;
    this.#cancel?.();
    this.#cancel = this.#o.after(least + this.#o.backoff(++this.#failures), () => { void this.#connect(); });
  }
}
