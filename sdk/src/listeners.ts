/** Listens to events of a document or a window; the answer stops it. */
export function listen(target: EventTarget, kinds: readonly string[], f: (e: Event) => void, options?: AddEventListenerOptions): () => void {
  for (const kind of kinds) target.addEventListener(kind, f, options);
  return () => { for (const kind of kinds) target.removeEventListener(kind, f, options); };
}

/** A set of callbacks. One that throws harms neither the others nor the caller. */
export class Listeners<A extends unknown[]> {
  readonly #set = new Set<[(...args: A) => void]>(); // in arrays: the same function twice is two listeners

  add(f: (...args: A) => void): () => void {
    const own: [typeof f] = [f];
    this.#set.add(own);
    return () => { this.#set.delete(own); };
  }

  call(...args: A): void {
    for (const [f] of [...this.#set]) {
      try {
        f(...args);
      } catch (e) {
        setTimeout(() => { throw e; }); // told like any other uncaught error
      }
    }
  }

  clear(): void {
    this.#set.clear();
  }
}
