import { isObject } from './http.js';

/** What tabs tell one another. No secret travels here, and nothing that is told signs anybody in. */
export type Message =
  | { t: 'step'; step: string }
  | { t: 'changed' }
  | { t: 'ended'; id: string; reason: string }
  | { t: 'exit'; id: string }
  | { t: 'active' }
  | { t: 'reported' };

const version = 1;
const fields = new Map(Object.entries({ step: ['step'], changed: [], ended: ['id', 'reason'], exit: ['id'], active: [], reported: [] }));
const isText = (v: unknown): v is string => typeof v === 'string' && v.length <= 128;

/** The message in what came; undefined for anything else, such as a later version's. */
export function parseMessage(data: unknown): Message | undefined {
  if (!isObject(data) || data['v'] !== version) return undefined;
  const needed = typeof data['t'] === 'string' ? fields.get(data['t']) : undefined;
  return needed?.every((f) => isText(data[f])) ? (data as unknown as Message) : undefined;
}

/** The siblings of this tab. Where there are no channels they are silent. */
export class Siblings {
  readonly #channel: BroadcastChannel | undefined;

  constructor(name: string | undefined, hear: (m: Message) => void) {
    if (!name || typeof BroadcastChannel === 'undefined') return;
    try {
      this.#channel = new BroadcastChannel(name);
    } catch {
      return; // denied to this page
    }
    this.#channel.onmessage = (e: MessageEvent<unknown>) => {
      const message = parseMessage(e.data);
      if (message) hear(message);
    };
    (this.#channel as { unref?: () => void }).unref?.(); // a program under Node may end
  }

  tell(m: Message): void {
    this.#channel?.postMessage({ v: version, ...m });
  }

  close(): void {
    this.#channel?.close();
  }
}
