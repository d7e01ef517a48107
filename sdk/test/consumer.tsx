// A component as the specification's readers write it, for
// test/browser/specification.mjs, which gives the provider and the manager.
import 'virtual:manager.js';
import { createRoot } from 'react-dom/client';
import { SessionProvider, useSession } from 'virtual:provider.jsx';

declare const credential: () => Promise<string>;

function Consumer() {
  const value = useSession();
  Object.assign(window, { consumer: value });
  const { session, loading, login, logout } = value;
  if (loading || !session) return <p>One moment</p>;
  if (!session.valid) return <><p>Signed out</p><button id="login" onClick={() => { void credential().then((signature) => login({ signature })); }}>Sign in</button></>;
  return <><p>Signed in: {session.permissions.join(', ')}</p><button id="logout" onClick={() => { void logout(); }}>Sign out</button></>;
}

const root = document.querySelector('main');
if (root) createRoot(root).render(<SessionProvider config={{ apiUrl: '/api', transport: 'header' }}><Consumer /></SessionProvider>);
