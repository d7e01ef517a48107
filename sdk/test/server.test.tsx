// @vitest-environment node
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it, vi } from 'vitest';
import { ExpiryWarning, QuickExit, SessionProvider, SessionStatus, useSession } from '../src/react/index.js';

it('renders on a server, which has no page, no network and no manager', () => {
  vi.stubGlobal('fetch', () => { throw new Error('a server asked'); });
  const timers = vi.spyOn(globalThis, 'setTimeout');
  expect(typeof document).toBe('undefined');
  function Home() {
    const { status, loading, session, sessionManager } = useSession();
    return <p>{[status, loading, session === null, sessionManager === null].join()}</p>;
  }
  const html = renderToStaticMarkup(
    <SessionProvider config={{ apiUrl: '/api' }} exitUrl="https://weather.test/">
      <Home /><SessionStatus /><ExpiryWarning /><QuickExit />
    </SessionProvider>);
  expect(html).toContain('<p>loading,true,true,true</p>');
  expect(html).toContain('One moment.');
  expect(html).toContain('href="https://weather.test/"'); // it works before any script does
  expect(html).not.toContain('<dialog open');
  expect(timers).not.toHaveBeenCalled();
});
