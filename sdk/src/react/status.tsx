import type { EndReason } from '../errors.js';
import { useSession } from './session.js';

const english: Record<'loading' | 'authenticated' | 'unauthenticated' | 'lost', string> & Partial<Record<EndReason, string>> = {
  loading: 'One moment.',
  authenticated: 'Signed in.',
  unauthenticated: 'Signed out.',
  lost: 'No connection.',
};

export interface SessionStatusProps {
  className?: string;
  /** Texts by status, by `lost`, and by the reason of an end; what is missing is English, and the same for all reasons. */
  texts?: Partial<Record<keyof typeof english, string>>;
}

/** Says how things stand, and politely so when they change. */
export function SessionStatus({ className, texts }: SessionStatusProps) {
  const s = useSession();
  const t = { ...english, ...texts };
  const ended = s.status === 'unauthenticated' && s.reason && t[s.reason];
  return <p role="status" className={className}>{s.connection === 'lost' ? t.lost : ended || t[s.status]}</p>;
}
