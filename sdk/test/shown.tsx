// A page of React's for test/browser/react.mjs: the components, and something
// beneath the dialog that must not be pressed by mistake.
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { ExpiryWarning, QuickExit, SessionProvider, SessionStatus, usePermission, useSession } from '../src/react/index.js';

declare const credential: () => Promise<string>;
const choice = new URLSearchParams(location.search);

function Home() {
  const { status, login } = useSession();
  const [sent, send] = useState(0);
  usePermission('read:profile');
  if (status !== 'authenticated') return <button id="in" disabled={status === 'loading'} onClick={() => { void credential().then((signature) => login({ signature })); }}>Sign in</button>;
  return <button id="send" onClick={() => { send(sent + 1); }}>Send ({sent})</button>;
}

const root = document.querySelector('main');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <SessionProvider config={{ apiUrl: '/api', transport: choice.get('transport') === 'header' ? 'header' : 'cookie' }} exitUrl="/elsewhere">
        <QuickExit />
        <h1>Home</h1>
        <SessionStatus />
        <Home />
        <ExpiryWarning activityThreshold={Number(choice.get('threshold') ?? 1_800_000)} warning={20_000} />
      </SessionProvider>
    </StrictMode>);
}
