import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { StrictMode, createContext, useContext, useEffect, useState } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import ts from 'typescript';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { MemoryStorage, SessionError, SessionManager } from '../src/index.js';
import type { AuthData } from '../src/index.js';
import { SessionProvider, SessionStatus, usePermission, useReauthentication, useSession } from '../src/react/index.js';
import type { AskAgain, UseSession } from '../src/react/index.js';
import { find, leavePage, rendered, show, text } from './page.js';
import { Channel, api, goOffline, json, refusal, service, settle, signedIn, tab } from './world.js';

const config = { apiUrl: api };
const noRefusals = vi.spyOn(console, 'error');
let seen: UseSession;

function Home() {
  seen = useSession();
  return <p>{seen.status}</p>;
}

describe('the provider', () => {
  it('has one manager through a StrictMode mount, and leaves nothing behind', async () => {
    const balance = new Map<string, number>();
    for (const [target, where] of [[document, 'document'], [globalThis, 'window']] as const) {
      for (const [name, by] of [['addEventListener', 1], ['removeEventListener', -1]] as const) {
        const own = target[name].bind(target) as (kind: string, ...rest: unknown[]) => void;
        vi.spyOn(target, name).mockImplementation((kind: string, ...rest: unknown[]) => {
          if (kind !== 'selectionchange') balance.set(`${where} ${kind}`, (balance.get(`${where} ${kind}`) ?? 0) + by); // React's own stays
          own(kind, ...rest);
        });
      }
    }
    await show(<StrictMode><SessionProvider config={config}><Home /><SessionStatus /></SessionProvider></StrictMode>);
    expect(service.count('/sessions/current')).toBe(1);
    expect(balance.get('document visibilitychange')).toBe(1);
    expect(Channel.all.size).toBe(1);
    expect(text()).toBe('unauthenticatedSigned out.');
    await leavePage();
    expect([...balance].filter(([, n]) => n !== 0)).toEqual([]);
    expect(Channel.all.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    vi.restoreAllMocks();
  });

  it('begins without anybody who looks, and begins anew after it was gone', async () => {
    await show(<SessionProvider config={config} />);
    expect(service.count('/sessions/current')).toBe(1);
    await leavePage();
    await show(<SessionProvider config={config}><Home /></SessionProvider>);
    expect(service.count('/sessions/current')).toBe(2);
  });

  it('leaves a manager that it was given alone', async () => {
    const m = await signedIn();
    const dispose = vi.spyOn(m, 'dispose');
    await show(<SessionProvider manager={m}><Home /></SessionProvider>);
    expect(seen).toMatchObject({ status: 'authenticated', sessionManager: m });
    await leavePage();
    expect(dispose).not.toHaveBeenCalled();
    expect(Channel.all.size).toBe(1);
  });

  it('takes over another manager', async () => {
    const m = await signedIn();
    const other = tab({ storage: new MemoryStorage() });
    const root = await show(<SessionProvider manager={m}><Home /></SessionProvider>);
    root.render(<SessionProvider manager={other}><Home /></SessionProvider>);
    await rendered();
    expect(seen).toMatchObject({ status: 'unauthenticated', sessionManager: other });
  });

  it('is not known on a server, and the page takes over without a difference', async () => {
    await signedIn();
    const page = <SessionProvider config={config}><Home /><SessionStatus /></SessionProvider>;
    const calls = service.seen.length;
    const html = renderToString(page);
    expect(html).toContain('<p>loading</p>');
    expect(seen).toMatchObject({ status: 'loading', loading: true, session: null, sessionManager: null });
    await settle();
    expect(service.seen.length).toBe(calls);
    document.body.innerHTML = `<main>${html}</main>`;
    noRefusals.mockClear();
    const root = hydrateRoot(find('main'), page);
    await rendered();
    expect(text()).toBe('authenticatedSigned in.');
    expect(noRefusals).not.toHaveBeenCalled();
    root.unmount();
  });

  it('is needed', async () => {
    expect(() => renderToString(<Home />)).toThrow('useSession must be used within SessionProvider');
  });
});

describe('useSession', () => {
  it('tells the story of a session', async () => {
    await show(<SessionProvider config={config}><Home /><SessionStatus texts={{ logout: 'Bye.' }} /></SessionProvider>);
    expect(seen).toMatchObject({ status: 'unauthenticated', session: { valid: false }, loading: false });
    const opening = seen.login({ signature: 'credential' });
    await Promise.resolve();
    await rendered();
    const session = await opening;
    await rendered();
    expect(seen).toMatchObject({ status: 'authenticated', loading: false, session: { valid: true, session_id: session.session_id, permissions: ['read:profile'] } });
    expect(text()).toBe('authenticatedSigned in.');
    await seen.sessionManager?.refreshSession();
    expect(await seen.logout()).toBe(true);
    await rendered();
    expect(seen).toMatchObject({ status: 'unauthenticated', session: { valid: false }, reason: 'logout' });
    expect(text()).toBe('unauthenticatedBye.');
  });

  it('is loading during a login, whose failure changes nothing', async () => {
    const states: [string, boolean][] = [];
    function Watch() {
      seen = useSession();
      states.push([seen.status, seen.loading]);
      return null;
    }
    await show(<SessionProvider config={config}><Watch /></SessionProvider>);
    service.faults = [() => refusal(401, 'credential_invalid')];
    await expect(seen.login({ signature: 'wrong' })).rejects.toMatchObject({ code: 'credential_invalid' });
    await rendered();
    expect(states.slice(-4)).toEqual([['loading', true], ['unauthenticated', false], ['unauthenticated', true], ['unauthenticated', false]]);
  });

  it('keeps the session when the network is lost', async () => {
    await signedIn();
    await show(<SessionProvider config={config}><Home /><SessionStatus /></SessionProvider>);
    const before = seen.session;
    goOffline(true);
    await seen.sessionManager?.validateSession();
    await rendered();
    expect(seen).toMatchObject({ status: 'authenticated', connection: 'lost' });
    expect(seen.session).toBe(before);
    expect(text()).toContain('No connection.');
    goOffline(false);
  });

  it('hands no token down, not even in header mode', async () => {
    await show(<SessionProvider config={{ ...config, storage: new MemoryStorage() }}><Home /></SessionProvider>);
    const given = await seen.login({ signature: 'credential' });
    await rendered();
    expect(seen.sessionManager?.getStoredSession().token).toMatch(/^st\./);
    const met = new Set<unknown>();
    const walk = (v: unknown): void => {
      if (typeof v === 'string') expect(v).not.toMatch(/^(st\.|rt_|csrf-)/);
      if (typeof v !== 'object' || v === null || met.has(v)) return;
      met.add(v);
      for (const k of Reflect.ownKeys(v)) walk((v as Record<PropertyKey, unknown>)[k]);
    };
    walk({ ...seen });
    walk(given);
    expect(met.size).toBeGreaterThan(5);
  });

  it('has types that tell the cases apart', () => {
    const look = (s: UseSession) => {
      if (s.status === 'authenticated') {
        expectTypeOf(s.session.permissions).toEqualTypeOf<readonly string[]>();
        expectTypeOf(s.sessionManager).toEqualTypeOf<SessionManager>();
        // @ts-expect-error no token is handed down
        return s.session.session_token as unknown;
      }
      if (s.status === 'loading') expectTypeOf(s.session).toBeNull();
      // @ts-expect-error only a session that ended has a reason
      return s.status === 'loading' ? s.reason as unknown : s.reason;
    };
    expect(look).toBeTypeOf('function');
  });

  // One component, written for the specification's provider, inside theirs and ours.
  const specification = join(import.meta.dirname, '../../../shared/contract/session-management.md');
  const missing = !existsSync(specification) && env['CI'] !== 'true'; // in CI it must be there
  it.skipIf(missing)("runs a component that was written for the specification's", async () => {
    const blocks = [...readFileSync(specification, 'utf8').matchAll(/```jsx\n([\s\S]*?)```/g)].map((m) => m[1] ?? '');
    const code = blocks.find((b) => b.includes('export const SessionProvider'))?.replace(/^import .*$/m, '') ?? '';
    const { outputText } = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, jsx: ts.JsxEmit.React } });
    const exports = {} as { SessionProvider: typeof SessionProvider; useSession: typeof useSession };
    const React = await import('react');
    class Manager extends SessionManager {
      constructor(c: { apiUrl: string }) { super({ ...c, storage: new MemoryStorage() }); }
    }
    new Function('exports', 'React', 'useState', 'useEffect', 'useContext', 'createContext', 'SessionManager', 'process', outputText)(
      exports, React, useState, useEffect, useContext, createContext, Manager, { env: { REACT_APP_API_URL: api } });

    function App({ use }: { use: () => UseSession }) {
      const { session, loading, login, logout } = use();
      const auth: AuthData = { signature: 'credential', type: 'standard', duration: 43_200 };
      if (loading) return <i>…</i>;
      if (!session?.valid) return <button onClick={() => { void login(auth); }}>in</button>;
      return <button onClick={() => { void logout(); }}>out {session.permissions.join()}</button>;
    }
    const ours = <SessionProvider config={{ ...config, storage: new MemoryStorage() }}><App use={useSession} /></SessionProvider>;
    const theirs = <exports.SessionProvider config={config}><App use={exports.useSession} /></exports.SessionProvider>;
    for (const page of [theirs, ours]) {
      await show(page);
      expect(text()).toBe('in');
      find<HTMLButtonElement>('button').click();
      await rendered();
      expect(text()).toBe('out read:profile');
      find<HTMLButtonElement>('button').click();
      await rendered();
      expect(text()).toBe('in');
      await leavePage();
    }
    vi.clearAllTimers();
  });
});

describe('usePermission', () => {
  it('is true with a session that has them all', async () => {
    function Allowed() {
      return <p>{[usePermission('read:profile'), usePermission('read:profile', 'write:messages'), usePermission()].join()}</p>;
    }
    await show(<SessionProvider config={config}><Home /><Allowed /></SessionProvider>);
    expect(text()).toContain('false,false,false');
    await seen.login({ signature: 'credential' });
    await rendered();
    expect(text()).toContain('true,false,true');
    expect(renderToString(<SessionProvider config={config}><Allowed /></SessionProvider>)).toContain('false,false,false');
  });
});

describe('useReauthentication', () => {
  const wanted = () => refusal(401, 'reauthentication_required', { max_age: 300 });
  let calls: number;

  async function begin(work: (n: number) => Promise<unknown>, ask: AskAgain) {
    calls = 0;
    let run!: (what: string) => Promise<unknown>;
    const notes = async (what: string) => { expect(what).toBe('notes'); return work(++calls); };
    function Notes() {
      run = useReauthentication(notes, ask);
      return <Home />;
    }
    const m = await signedIn();
    const root = await show(<SessionProvider manager={m}><Notes /></SessionProvider>);
    const first = run;
    root.render(<SessionProvider manager={m}><Notes /></SessionProvider>);
    await rendered();
    expect(run).toBe(first);
    return { m, run: () => run('notes') };
  }

  it('asks once and calls once more, for a Response and for an error', async () => {
    const ask = vi.fn<AskAgain>(async () => ({ signature: 'fresh' }));
    const { run } = await begin(async (n) => n % 2 ? wanted() : json(200, { n }), ask);
    expect(await (await run() as Response).json()).toEqual({ n: 2 });
    expect(ask.mock.calls).toEqual([[{ maxAge: 300 }]]);
    expect(service.count('/sessions/reauthenticate')).toBe(1);
    await leavePage();
    const thrown = await begin(async (n) => { if (n === 1) throw new SessionError('reauthentication_required', 'No.', { status: 401 }); return n; }, ask);
    expect(await thrown.run()).toBe(2);
    expect(ask).toHaveBeenLastCalledWith({ maxAge: undefined });
  });

  it('throws when the person would rather not, and what the asking throws', async () => {
    const ask = vi.fn<AskAgain>(async () => null);
    const { run } = await begin(async () => wanted(), ask);
    await expect(run()).rejects.toMatchObject({ code: 'reauthentication_cancelled', retryable: false });
    expect([calls, service.count('/sessions/reauthenticate')]).toEqual([1, 0]);
    ask.mockRejectedValueOnce(new Error('no wallet'));
    await expect(run()).rejects.toThrow('no wallet');
  });

  it('does not go in circles when it was refused again', async () => {
    const ask = vi.fn<AskAgain>(async () => ({ signature: 'fresh' }));
    const { run } = await begin(async () => wanted(), ask);
    expect((await run() as Response).status).toBe(401);
    expect([calls, ask.mock.calls.length]).toEqual([2, 1]);
  });

  it('leaves other failures and answers alone', async () => {
    const ask = vi.fn<AskAgain>();
    const answers: unknown[] = [7, new Response('<html>', { status: 401 }), refusal(401, 'session_invalid')];
    const { run } = await begin(async (n) => { if (n > 3) throw new TypeError('lost'); return answers[n - 1]; }, ask);
    for (const a of answers) expect(await run()).toBe(a);
    await expect(run()).rejects.toThrow('lost');
    expect(ask).not.toHaveBeenCalled();
  });

  it('asks one question for calls that need it together', async () => {
    let answer!: (a: AuthData) => void;
    const ask = vi.fn<AskAgain>(() => new Promise((done) => { answer = done; }));
    const { run } = await begin(async (n) => n <= 2 ? wanted() : n, ask);
    const both = Promise.all([run(), run()]);
    await rendered();
    answer({ signature: 'fresh' });
    expect(await both).toEqual([3, 4]);
    expect([ask.mock.calls.length, service.count('/sessions/reauthenticate')]).toEqual([1, 1]);
  });

  it("does not do one person's work in another's session", async () => {
    const { m, run } = await begin(async () => wanted(), async () => {
      await m.logout();
      await m.createSession({ signature: 'another' });
      return { signature: 'another' };
    });
    await expect(run()).rejects.toMatchObject({ code: 'reauthentication_cancelled' });
    expect([calls, service.count('/sessions/reauthenticate')]).toEqual([1, 0]);
  });
});
