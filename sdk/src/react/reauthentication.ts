import { useCallback } from 'react';
import { SessionError, isSessionError } from '../errors.js';
import { codeOf } from '../http.js';
import type { AuthData } from '../config.js';
import { useSource } from './provider.js';
import type { Source } from './source.js';

/** Asks the person for a fresh proof, of at most `maxAge` seconds; null when they would rather not. */
export type AskAgain = (wanted: { maxAge: number | undefined }) => Promise<Pick<AuthData, 'signature'> | null>;

/**
 * Wraps a call that may need a fresh authentication, whether it throws the
 * service's error or resolves with a Response that holds it. It asks once, calls
 * once more, and gives what that gives. It throws a SessionError
 * `reauthentication_cancelled` when the person would rather not, or another has
 * signed in meanwhile. Calls that need it at the same time share one question.
 * What it gives is the same function as long as `work` and `ask` are.
 */
export function useReauthentication<A extends unknown[], T>(work: (...args: A) => Promise<T>, ask: AskAgain): (...args: A) => Promise<T> {
  const source = useSource();
  return useCallback(async (...args: A) => {
    let cause: SessionError | undefined;
    try {
      const answer = await work(...args);
      cause = await refusalIn(answer);
      if (!cause) return answer;
    } catch (e) {
      cause = await refusalIn(e);
      if (!cause) throw e;
    }
    const { max_age: maxAge } = cause.details;
    await source.once(() => prove(source, { maxAge }, ask));
    return work(...args);
  }, [source, work, ask]);
}

async function refusalIn(answer: unknown): Promise<SessionError | undefined> {
  const e = answer instanceof Response && answer.status === 401 ? await codeOf(answer) : answer;
  return isSessionError(e) && e.code === 'reauthentication_required' ? e : undefined;
}

async function prove({ manager }: Source, wanted: Parameters<AskAgain>[0], ask: AskAgain): Promise<void> {
  const whose = () => manager.getSnapshot().session?.session_id;
  const before = whose();
  const auth = await ask(wanted);
  if (!auth || before !== whose()) throw new SessionError('reauthentication_cancelled', 'Cancelled.');
  await manager.reauthenticate(auth);
}
