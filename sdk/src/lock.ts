import { after } from './time.js';

const patience = 5000; // as long as a tab waits for its siblings

/**
 * Runs work while no other tab does. A tab that is frozen with the lock, and a
 * browser without locks, hold nobody up for good: work then runs beside them.
 * That is safe, because the server gives simultaneous refreshes the same
 * successor; the lock spares the calls. The lock is never stolen: its holder
 * would go on believing that it is alone.
 */
export async function exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = (globalThis.navigator as Partial<Navigator> | undefined)?.locks;
  if (!locks) return work();
  let begun: Promise<T> | undefined;
  const tired = new AbortController();
  const cancel = after(patience, () => { tired.abort(); });
  try {
    return await locks.request(name, { signal: tired.signal }, () => {
      cancel();
      return (begun = work());
    });
  } catch (e) {
    if (begun) throw e;
    return work(); // waited long enough, or denied in this context
  } finally {
    cancel();
  }
}
