import { SessionError, endedBy } from './errors.js';
import { between, nobody, viewOf } from './held.js';
import { concerns, resume } from './logout.js';
import { show, viewed } from './publish.js';
import { exchange } from './refresh.js';
import { later, schedule } from './schedule.js';
import { ask } from './service.js';
import type { SessionView } from './state.js';
import type { Tab } from './tab.js';
import { now } from './time.js';
import { validate } from './validate.js';

const lead = 300_000; // ms before the end, until the server proposes another

/** Learns who is here, from what is kept and from the server. */
export async function load(tab: Tab): Promise<void> {
  const { epoch } = tab;
  await resume(tab);
  const kept = await tab.keep.get();
  if (epoch !== tab.epoch) return;
  await (tab.cookies ? loadCookies(tab, epoch) : loadKept(tab, kept));
}

async function loadKept(tab: Tab, kept: Tab['held']): Promise<void> {
  tab.held = kept;
  if (!kept) show(tab, null);
  else if (!kept.view.session_id) await validate(tab);
  else {
    show(tab, kept.view);
    schedule(tab);
    void validate(tab);
  }
}

async function loadCookies(tab: Tab, epoch: number): Promise<void> {
  try {
    await current(tab, epoch);
  } catch (e) {
    if (epoch !== tab.epoch) return;
    const reason = endedBy(e);
    if (!reason) { later(tab, e); return; }
    tab.held = undefined;
    show(tab, null, undefined, (e as SessionError).code === 'session_expired' ? reason : undefined);
  }
}

/** The session that the cookies are of. */
async function current(tab: Tab, epoch: number): Promise<void> {
  const mark = await tab.keep.mark();
  const base = { view: nobody, step: mark?.step ?? 'first', since: now(), life: 0, lead };
  try {
    const { data, at, date } = await ask<SessionView & { csrf_token: string }>(tab, '/sessions/current');
    if (epoch !== tab.epoch) return;
    const view = viewOf(data);
    const life = date === undefined ? mark?.left ?? 0 : Math.max(0, Date.parse(data.expires_at) - date);
    const last = between(data.expires_at, data.session_expires_at) <= 0;
    tab.held = { ...base, view, csrf: data.csrf_token, since: at, life, lead: last ? undefined : lead * (0.9 + Math.random() / 5) };
  } catch (e) {
    if (!(e instanceof SessionError) || e.code !== 'session_expired' || endedBy(e) || !e.details.csrf_token) throw e;
    tab.held = { ...base, csrf: e.details.csrf_token };
    await exchange(tab, base.step, epoch);
    if (!viewed(tab)) await current(tab, epoch);
    return;
  }
  if (await concerns(tab, tab.held)) { // signed out here, and the server does not know it yet
    tab.held = undefined;
    show(tab, null, undefined, 'logout');
    return;
  }
  show(tab, tab.held.view);
  schedule(tab);
}
