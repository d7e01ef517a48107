// As core.ts, for the bindings to React.
import { ExpiryWarning, QuickExit, SessionProvider, SessionStatus, usePermission, useReauthentication, useSession } from '@mentalverse/session/react';
import type { UseSession, ValidSession } from '@mentalverse/session/react';
import { SessionManager } from '@mentalverse/session';
import type { AuthData, EndReason, SessionView } from '@mentalverse/session';
import { is, same } from './expect.js';

export function Shapes() {
  const s = useSession();
  same<typeof s, UseSession>(true);
  same<typeof s.login, (auth: AuthData) => Promise<ValidSession>>(true);
  same<typeof s.logout, () => Promise<boolean>>(true);
  switch (s.status) {
    case 'loading':
      same<typeof s.session, null>(true);
      same<typeof s.loading, true>(true);
      same<typeof s.sessionManager, SessionManager | null>(true);
      // @ts-expect-error: on a server there is none
      s.sessionManager.getToken();
      break;
    case 'authenticated':
      is<SessionView>(s.session);
      same<typeof s.session.valid, true>(true);
      same<typeof s.sessionManager, SessionManager>(true);
      // @ts-expect-error: components get no token
      is<unknown>(s.session.session_token);
      // @ts-expect-error: nothing has ended
      is<unknown>(s.reason);
      break;
    case 'unauthenticated':
      same<typeof s.session, { readonly valid: false }>(true);
      same<typeof s.reason, EndReason | undefined>(true);
      // @ts-expect-error: nobody's permissions
      is<unknown>(s.session.permissions);
      break;
    default:
      s satisfies never;
  }
  // The specification's way, without the status.
  if (s.session?.valid) is<readonly string[]>(s.session.permissions);
  return <p>{usePermission('read:profile', 'write:messages') && 'may'}</p>;
}

export function Asks() {
  const erase = useReauthentication(
    async (id: string, really: boolean) => `${id} ${really}`,
    async ({ maxAge }) => { same<typeof maxAge, number | undefined>(true); return { signature: 'credential' }; },
  );
  same<typeof erase, (id: string, really: boolean) => Promise<string>>(true);
  // @ts-expect-error: an answer is a credential or null
  useReauthentication(async () => 1, async () => 'yes');
  return null;
}

const manager = new SessionManager({ apiUrl: '/api' });
export const good = [
  <SessionProvider key={1} config={{ apiUrl: '/api' }} exitUrl="https://weather.example/"><Shapes /></SessionProvider>,
  <SessionProvider key={2} manager={manager}><SessionStatus texts={{ idle: 'You were away.' }} /></SessionProvider>,
  <ExpiryWarning key={3} activityThreshold={600_000} warning={60_000} texts={{ stay: 'Stay', time: (seconds) => `${seconds} s` }} />,
  <QuickExit key={4} className="exit" texts={{ leave: 'Leave' }} />,
];
export const bad = [
  // @ts-expect-error: a manager or a config
  <SessionProvider key={1} />,
  // @ts-expect-error: not both
  <SessionProvider key={2} manager={manager} config={{ apiUrl: '/api' }} />,
  // @ts-expect-error: no such text
  <SessionStatus key={3} texts={{ hello: '' }} />,
];
