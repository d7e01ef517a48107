import { createContext, useContext, useEffect, useMemo } from 'react';
import type { ReactNode } from 'react';
import type { SessionConfig } from '../config.js';
import { leave } from '../exit.js';
import type { SessionManager } from '../manager.js';
import { Source } from './source.js';

const Context = createContext<Source | null>(null);

export type SessionProviderProps = {
  children?: ReactNode;
  /** Where the page goes when the person leaves in a hurry, here by <QuickExit> or in another tab; a blank page unless given. Keep it the same. */
  exitUrl?: string;
} & (
  | { /** The page's own, which it also disposes. */ manager: SessionManager; config?: undefined }
  | { /** Of a manager that lives as long as the provider. Later changes are not heeded: give the provider another key. */ config: SessionConfig; manager?: undefined }
);

/** Gives the session to what is inside. Tokens are not handed down. */
export function SessionProvider({ manager, config, exitUrl = 'about:blank', children }: SessionProviderProps) {
  const source = useMemo(() => new Source(manager, config, exitUrl), [manager, exitUrl]);
  useEffect(() => source.subscribe(() => undefined), [source]);
  useEffect(() => source.manager.onExit(() => { leave(exitUrl); }), [source]);
  return <Context.Provider value={source}>{children}</Context.Provider>;
}

export function useSource(): Source {
  const source = useContext(Context);
  if (!source) throw new Error('useSession must be used within SessionProvider');
  return source;
}
