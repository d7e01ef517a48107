import { ExpiryWarning, QuickExit, SessionProvider, SessionStatus, usePermission, useReauthentication, useSession } from '@mentalverse/session/react';
import { useCallback, useRef, useState } from 'react';
import { credential } from './credential.js';

const config = { apiUrl: '/api' }; // cookies: no script reads the tokens
const fresh = 300; // seconds for which a proof is fresh enough for what is sensitive

export const App = () => (
  <SessionProvider config={config}>
    <QuickExit />
    <h1>Home</h1>
    <SessionStatus />
    <Home />
    <ExpiryWarning />
  </SessionProvider>
);

function Home() {
  const { status, session } = useSession();
  if (status === 'loading') return null;
  if (status === 'unauthenticated') return <SignIn />;
  return (
    <>
      <p>You are signed out after 30 minutes without you, and at {new Date(session.session_expires_at).toLocaleTimeString()} in any case.</p>
      <Notes />
      <Erase />
      <SignOut />
    </>
  );
}

function SignIn() {
  const { login, loading } = useSession();
  const [problem, setProblem] = useState('');
  const signIn = async () => {
    setProblem('');
    try {
      await login({ signature: await credential() });
    } catch (e) {
      setProblem(e.code === 'network_error' ? 'The service cannot be reached.' : 'That did not work.');
    }
  };
  return <><button type="button" disabled={loading} onClick={signIn}>Sign in</button><p role="alert">{problem}</p></>;
}

function SignOut() {
  const { logout } = useSession();
  return <button type="button" onClick={() => logout()}>Sign out</button>;
}

/** What is shown by permission. What is allowed the server decides. */
function Notes() {
  return usePermission('read:profile') ? <label>Note <textarea name="note" /></label> : <p>You may not take notes.</p>;
}

/** Something sensitive: the service wants a proof of the last minutes. */
function Erase() {
  const { sessionManager } = useSession();
  const dialog = useRef(null);
  const answer = useRef(null);
  const [done, setDone] = useState('');

  const work = useCallback(() => sessionManager.fetch(`/api/auth/sessions/validate?max_age=${fresh}`), [sessionManager]);
  const ask = useCallback(() => new Promise((resolve) => {
    answer.current = resolve;
    dialog.current.returnValue = '';
    dialog.current.showModal();
  }), []);
  const erase = useReauthentication(work, ask);

  const press = async () => {
    setDone('');
    try {
      setDone((await erase()).ok ? 'Erased.' : 'Not erased.');
    } catch (e) {
      setDone(e.code === 'reauthentication_cancelled' ? 'Kept.' : 'Not erased.');
    }
  };
  const closed = () => {
    const proof = async () => ({ signature: await credential(sessionManager) });
    answer.current(dialog.current.returnValue === 'yes' ? proof() : null);
  };
  return (
    <>
      <button type="button" onClick={press}>Erase my notes</button>
      <p role="status">{done}</p>
      <dialog ref={dialog} aria-labelledby="again" onClose={closed}>
        <form method="dialog">
          <p id="again">Is it you?</p>
          <button value="yes">It is me</button>
          <button value="no">Keep them</button>
        </form>
      </dialog>
    </>
  );
}
