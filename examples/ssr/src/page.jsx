import { ExpiryWarning, QuickExit, SessionProvider, SessionStatus, useSession } from '@mentalverse/session/react';
import { credential } from './credential.js';

const config = { apiUrl: '/api' };

/**
 * The whole document. `known` is what the server learnt of who asks: what they
 * may, null where nobody is signed in, undefined where it could not tell.
 */
export const Page = ({ known }) => (
  <html lang="en">
    <head>
      <meta charSet="utf-8" />
      <title>Home</title>
    </head>
    <body>
      <SessionProvider config={config}>
        <QuickExit />
        <h1>Home</h1>
        <SessionStatus />
        <Home known={known} />
        <ExpiryWarning />
      </SessionProvider>
      <script id="known" type="application/json" dangerouslySetInnerHTML={{ __html: JSON.stringify({ known }).replaceAll('<', '\\u003c') }} />
    </body>
  </html>
);

/** Until the effects have run the page shows what the server knew, and then what is so now. */
function Home({ known }) {
  const { status, session, login, logout } = useSession();
  const permissions = status === 'loading' ? known?.permissions : session.permissions;
  return (
    <>
      {permissions && <p id="private">You may: {permissions.join(', ')}</p>}
      {status === 'authenticated' && <button type="button" onClick={() => logout()}>Sign out</button>}
      {status === 'unauthenticated' && <button type="button" onClick={async () => login({ signature: await credential() })}>Sign in</button>}
    </>
  );
}
