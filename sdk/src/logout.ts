import { read, write } from './database.js';
import { end } from './ending.js';
import { SessionError } from './errors.js';
import type { Held } from './held.js';
import { call, isObject } from './http.js';
import { secure } from './lazy.js';
import type { Tab } from './tab.js';

/**
 * A logout that the server has not confirmed. It is kept over reloads: in
 * cookie mode as a digest of the session's id, in header mode as the encrypted
 * refresh token; and never in a storage that somebody else can read.
 */
export interface Owed { id: string; token: string | undefined; csrf?: string | undefined }

const any = '*'; // the session that the cookies are of, whichever it is
const place = (tab: Tab) => `logout:${tab.base}`;

/** Ends the session in all tabs, and then at the server; false when that must be told again. */
export async function logout(tab: Tab): Promise<boolean> {
  const noted = note(tab);
  const told = say(tab);
  await Promise.all([end(tab, 'logout', true), noted]);
  return told;
}

/** Notes that the session is to be ended, before anything is sent; one that is not known yet is whatever the cookies turn out to be of. */
async function note(tab: Tab): Promise<void> {
  const h = tab.held;
  if (!h && !(tab.cookies && tab.snapshot.status === 'loading')) return;
  const owed: Owed = (tab.owed = { id: any, token: h?.refresh, csrf: h?.csrf });
  if (!tab.keep.shared) return;
  if (h) owed.id = await digest(h.view.session_id);
  if (tab.owed !== owed) return; // confirmed already
  const { id, token } = owed;
  await write(place(tab), { v: 1, id, token: token && (await secure().then((s) => s.encrypt(token, place(tab))).catch(() => undefined)) });
  if (tab.owed !== owed) await write(place(tab), undefined);
}

/** Reads what an earlier page could not tell, and tells what needs no cookie. */
export async function resume(tab: Tab): Promise<void> {
  if (!tab.keep.shared || tab.owed) return;
  const kept = await read(place(tab));
  if (!isObject(kept) || kept['v'] !== 1 || typeof kept['id'] !== 'string') return;
  const sealed = kept['token'];
  const token = typeof sealed === 'string' ? await secure().then((s) => s.decrypt(sealed, place(tab))).catch(() => undefined) : undefined;
  tab.owed = { id: kept['id'], token };
  if (token) void say(tab);
}

/** Whether the session that the cookies are of is the one to be ended; then it is. */
export async function concerns(tab: Tab, h: Held): Promise<boolean> {
  const { owed } = tab;
  if (!tab.cookies || !owed || owed.csrf) return false;
  if (owed.id !== any && owed.id !== (await digest(h.view.session_id))) {
    await done(tab, owed); // it is gone from this browser
    return false;
  }
  owed.csrf = h.csrf;
  void say(tab);
  return true;
}

/** Tells the server, once for all callers of this tab; true when nothing is left to tell. */
export function say(tab: Tab): Promise<boolean> {
  tab.saying ??= tellServer(tab).finally(() => { tab.saying = undefined; });
  return tab.saying;
}

async function tellServer(tab: Tab): Promise<boolean> {
  const { owed } = tab;
  if (!owed) return true;
  const { token, csrf } = owed;
  if (!token && !csrf) return false; // the cookies' session is not known yet
  try {
    await call(`${tab.base}/sessions/logout`, {
      body: token ? { refresh_token: token } : {},
      headers: csrf ? { 'Session-CSRF': csrf } : {},
      cookies: tab.cookies,
      keepalive: true,
      timeout: 10_000,
    });
  } catch (e) {
    if (!(e instanceof SessionError) || e.status !== 401) return false;
  }
  await done(tab, owed);
  return true;
}

async function done(tab: Tab, owed: Owed): Promise<void> {
  if (tab.owed === owed) tab.owed = undefined;
  if (tab.keep.shared) await write(place(tab), undefined);
}

/** Names a session to this browser, and to nobody who reads its disk. */
async function digest(id: string): Promise<string> {
  try {
    return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`mv:logout:${id}`)), 0, 16).join();
  } catch {
    return '';
  }
}
