import { Listeners, listen } from './listeners.js';
import { now } from './time.js';

const kinds = ['pointerdown', 'keydown', 'wheel', 'touchstart', 'mousemove'] as const;
const throttle = 1000; // mice move often
const quiet = 5000; // between two words to the siblings

/**
 * Signs of the person in any tab of the origin. Scripts make no signs: only
 * events that the browser vouches for count, and not scrolling, which also
 * happens alone.
 */
export class Activity {
  readonly #tell: () => void;
  readonly #listeners = new Listeners<[]>();
  #last = now();
  #told = -Infinity;
  #stop: (() => void) | undefined;

  /** tell is called when siblings should hear of this tab's person. */
  constructor(tell: () => void) {
    this.#tell = tell;
  }

  /** Milliseconds since the last sign, in this tab or another. */
  get idle(): number {
    return now() - this.#last;
  }

  subscribe(f: () => void): () => void {
    return this.#listeners.add(f);
  }

  /** Listens in this document. */
  start(): void {
    if (this.#stop) return;
    const see = (e: Event) => {
      if (e.isTrusted && (e.type !== 'mousemove' || this.idle >= throttle)) this.sign();
    };
    this.#stop = listen(document, kinds, see, { passive: true, capture: true });
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#listeners.clear();
  }

  /** The person is here. */
  sign(): void {
    if (now() - this.#told >= quiet) {
      this.#told = now();
      this.#tell();
    }
    this.heard();
  }

  /** The person is at a sibling. */
  heard(): void {
    this.#last = now();
    this.#listeners.call();
  }
}
