/** Milliseconds that no setting of the clock moves. They may stand still while the machine sleeps. */
export const now = (): number => performance.now();

const longest = 2 ** 31 - 1; // a longer delay fires at once (HTML standard, section 8.6)

/** Calls work after a delay of any length; the answer takes the call back. */
export function after(ms: number, work: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const until = now() + ms;
  const arm = () => {
    const left = until - now();
    timer = left > longest ? setTimeout(arm, longest) : setTimeout(work, Math.max(0, left));
  };
  arm();
  return () => { clearTimeout(timer); };
}

/** The wait before a repetition: full jitter under a bound that doubles up to 30 s. */
export const backoff = (failures: number): number => Math.random() * Math.min(30_000, 500 * 2 ** failures);

export const sleep = (ms: number): Promise<void> => new Promise((done) => { after(ms, done); });

/** The promise's value, or the fallback when it fails or takes longer than ms. */
export function within<T, F>(ms: number, promise: Promise<T>, fallback: F): Promise<T | F> {
  return new Promise((done) => {
    const cancel = after(ms, () => { done(fallback); });
    promise.then(done, () => { done(fallback); }).finally(cancel);
  });
}

/**
 * Watches for sleep and for clocks that are set: both make the clock's time and
 * the steady time drift apart. Which it was nobody can tell, so the one right
 * answer is to ask the server.
 */
export function driftWatch(): () => boolean {
  let offset = Date.now() - now();
  return () => {
    const before = offset;
    offset = Date.now() - now();
    return Math.abs(offset - before) > 10_000;
  };
}
