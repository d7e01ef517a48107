import { useSyncExternalStore } from 'react';
import { useSource } from './provider.js';
import type { UseSession } from './source.js';

/** The session, as the specification's useSession gives it, with a status. It throws outside a SessionProvider. */
export function useSession(): UseSession {
  const source = useSource();
  return useSyncExternalStore(source.subscribe, source.get, () => source.server);
}

/**
 * Whether there is a session that has all these permissions. It decides what is
 * shown, never what is allowed: that the server does.
 */
export function usePermission(...permissions: string[]): boolean {
  const source = useSource();
  const has = () => {
    const { session } = source.get();
    return !!session?.valid && permissions.every((p) => session.permissions.includes(p));
  };
  return useSyncExternalStore(source.subscribe, has, () => false);
}
