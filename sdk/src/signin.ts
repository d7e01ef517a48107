import type { AuthData, StoredPair } from './config.js';
import { begin, over } from './ending.js';
import { SessionError } from './errors.js';
import { nobody, take } from './held.js';
import { say } from './logout.js';
import { ask } from './service.js';
import type { SessionData } from './state.js';
import type { Tab } from './tab.js';
import { now } from './time.js';
import { validate } from './validate.js';

/** Opens a session with a credential. */
export async function create(tab: Tab, auth: AuthData): Promise<SessionData> {
  if (auth.type === 'anonymous' && (tab.cookies || tab.keep.shared)) {
    throw new SessionError('invalid_request', 'Anonymous sessions need a MemoryStorage.');
  }
  await tab.ready;
  await say(tab);
  const { data, at } = await ask<SessionData>(tab, '/sessions', { headers: { Authorization: `Bearer ${auth.signature}` }, body: {
    session_type: auth.type ?? 'standard',
    duration: auth.duration,
    permissions: auth.permissions,
    transport: tab.cookies ? 'cookie' : 'header',
    activity: tab.reports ? 'reported' : undefined,
    device_label: auth.deviceLabel,
  } }, 'explicit');
  await begin(tab, take(data, at));
  return data;
}

/** Proves anew that it is the same person. */
export async function reauthenticate(tab: Tab, credential: string): Promise<SessionData> {
  await tab.ready;
  const { data, at } = await ask<SessionData>(tab, '/sessions/reauthenticate', { body: { credential } }, 'explicit');
  // The stream may have told of the new pair before this answer: it is lost unless it is taken.
  const id = tab.held?.view.session_id;
  if (id !== '' && id !== data.session_id) throw over(); // '' is not known yet
  await begin(tab, take(data, at), 'updated');
  return data;
}

/** Takes over a pair that somebody else got. */
export async function takeOver(tab: Tab, data: SessionData | StoredPair): Promise<void> {
  await tab.ready;
  const full = 'expires_in' in data ? data : {
    ...nobody, ...data, expires_in: (Date.parse(data.expires_at) - Date.now()) / 1000, refresh_at: data.expires_at,
  };
  await begin(tab, take(full, now()));
  if (!full.session_id) await validate(tab);
}
