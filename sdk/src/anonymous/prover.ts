import { isObject } from '../http.js';
import { addressesOf, pinned, totalSize } from './artifacts.js';
import type { Artifacts } from './artifacts.js';
import { problem } from './problems.js';

/** A Semaphore v4 proof, as `@semaphore-protocol/proof` writes it. */
export interface Proof { merkleTreeDepth: number; merkleTreeRoot: string; nullifier: string; message: string; scope: string; points: string[] }

export interface Statement { secret: string; index: number; siblings: string[]; message: string; scope: string }

interface Calls {
  identity: { in: object; out: { secret: string; commitment: string } };
  commitment: { in: { secret: string }; out: string };
  path: { in: { place: object }; out: { index: number; siblings: string[] } };
  prove: { in: { statement: Statement }; out: Proof };
}

interface Waiting { resolve: (value: never) => void; reject: (e: Error) => void; tell: ((done: number) => void) | undefined }

/** The package's own worker. It stands beside this file, and bundlers take it along. */
const ownWorker = (): Worker => new Worker(new URL('./worker.js', import.meta.url), { type: 'module', credentials: 'omit' });

/**
 * The prover, in a worker of its own: the page never waits for it, and what it
 * knew is gone when it is stopped. What its program says of a failure is for
 * nobody's eyes: it may tell what the statement was.
 */
export class Prover {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #undo: () => void;
  #last = 0;
  #stopped: Error | undefined;

  private constructor(worker: Worker, signal: AbortSignal | undefined) {
    this.#worker = worker;
    const abort = () => { this.stop(signal?.reason as Error); };
    signal?.addEventListener('abort', abort);
    this.#undo = () => { signal?.removeEventListener('abort', abort); };
    worker.onerror = worker.onmessageerror = () => { this.stop(problem('prover_failed')); };
    worker.onmessage = ({ data }: MessageEvent<unknown>) => { this.#hear(data); };
  }

  /** Starts a worker and loads the pinned files, all without cookies. */
  static async start(artifacts: Artifacts, newWorker: (() => Worker) | undefined, progress: (done: number) => void, signal?: AbortSignal): Promise<Prover> {
    signal?.throwIfAborted();
    let prover: Prover | undefined;
    try {
      const at = addressesOf(artifacts);
      prover = new Prover((newWorker ?? ownWorker)(), signal);
      await prover.#send('start', { ...at, digests: pinned, size: totalSize }, progress);
      return prover;
    } catch {
      prover?.stop();
      signal?.throwIfAborted();
      throw problem('prover_unavailable');
    }
  }

  call<K extends keyof Calls>(name: K, args: Calls[K]['in'], tell?: (done: number) => void): Promise<Calls[K]['out']> {
    return this.#send(name, args, tell);
  }

  /** Ends the worker, and all that it knew with it. */
  stop(reason: Error = problem('prover_failed')): void {
    this.#stopped ??= reason;
    this.#undo();
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(this.#stopped);
    this.#waiting.clear();
  }

  #send<T>(call: string, args: object, tell?: (done: number) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#stopped) { reject(this.#stopped); return; }
      const id = ++this.#last;
      this.#waiting.set(id, { resolve, reject, tell });
      this.#worker.postMessage({ id, call, ...args });
    });
  }

  #hear(data: unknown): void {
    if (!isObject(data)) return;
    const { id, value, error, progress } = data;
    const waiting = this.#waiting.get(id as number);
    if (!waiting) return;
    if (typeof progress === 'number') { waiting.tell?.(progress); return; }
    this.#waiting.delete(id as number);
    if (error === undefined) waiting.resolve(value as never);
    else waiting.reject(problem('prover_failed'));
  }
}
