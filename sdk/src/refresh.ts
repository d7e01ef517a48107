import { adopt } from './adopt.js';
import { end, over } from './ending.js';
import { SessionError, endedBy } from './errors.js';
import { left, take } from './held.js';
import type { Answer } from './http.js';
import { exclusive } from './lock.js';
import { quietly, reach, show, viewed } from './publish.js';
import { schedule } from './schedule.js';
import { ask } from './service.js';
import type { SessionData } from './state.js';
import type { Tab } from './tab.js';
import { backoff, sleep } from './time.js';

const attempts = 6; // of one refresh
const timeout = 8000; // shorter than anybody's patience with the lock matters
const longestWait = 15_000; // for a repetition inside a call

/** Exchanges the pair that is held, once for all callers of this tab. */
export async function refresh(tab: Tab): Promise<SessionData> {
  const h = tab.held;
  if (!h) throw over();
  tab.refreshing ??= exchange(tab, h.step, tab.epoch).finally(() => { tab.refreshing = undefined; });
  return tab.refreshing;
}

/** Exchanges the pair of a step, once for all tabs, and repeats what may succeed. */
export async function exchange(tab: Tab, step: string, epoch: number): Promise<SessionData> {
  for (let attempt = 1; ; attempt++) {
    try {
      const stepped = await exclusive(`mv ${tab.base}`, () => quietly(tab, () => exchangeOnce(tab, step, epoch)));
      tab.failures = 0;
      reach(tab);
      schedule(tab);
      if (stepped) tab.siblings.tell({ t: 'step', step: tab.held?.step ?? '' });
      show(tab, viewed(tab), 'refreshed');
      return dataOf(tab);
    } catch (e) {
      reach(tab);
      if (!(e instanceof SessionError)) throw e;
      const reason = endedBy(e);
      if (reason && epoch === tab.epoch) await end(tab, reason, true);
      const wait = Math.max(backoff(attempt), e.retryAfter ?? 0);
      if (!e.retryable || attempt === attempts || wait > longestWait || tab.disposed || (globalThis.navigator as Partial<Navigator> | undefined)?.onLine === false) throw e;
      await sleep(wait);
    }
    if (epoch !== tab.epoch) throw over();
    if (tab.held && tab.held.step !== step) return dataOf(tab);
  }
}

/** One exchange, under the lock; false when a sibling has made it. */
async function exchangeOnce(tab: Tab, step: string, epoch: number): Promise<boolean> {
  if (tab.held?.step === step && (await adopt(tab, epoch))) return false;
  if (epoch !== tab.epoch) throw over();
  if (tab.held?.step !== step) return false;
  const sent = tab.held.refresh;
  if (sent && sent === tab.superseded) throw new SessionError('refresh_superseded', 'There is a newer pair.', { status: 409 });
  let answer: Answer<SessionData>;
  try {
    answer = await ask<SessionData>(tab, '/sessions/refresh', { body: sent ? { refresh_token: sent } : {}, timeout }, 'refresh');
  } catch (e) {
    if (e instanceof SessionError) {
      const superseded = e.code === 'refresh_superseded';
      if (superseded) tab.superseded = sent;
      if ((superseded || endedBy(e)) && (await adopt(tab, epoch))) return false;
    }
    throw e;
  }
  if (epoch !== tab.epoch) throw over(); // signed out meanwhile: what came is dead
  const next = take(answer.data, answer.at);
  await tab.keep.put(next);
  if (epoch !== tab.epoch) {
    await tab.keep.forget();
    throw over();
  }
  tab.held = next;
  return true;
}

/** What is held, in the shape of the server's answer. */
function dataOf(tab: Tab): SessionData {
  const h = tab.held;
  if (!h) throw over();
  const tokens = h.token && h.refresh ? { session_token: h.token, refresh_token: h.refresh } : {};
  return { ...h.view, ...tokens, expires_in: Math.max(0, Math.round(left(h) / 1000)), refresh_at: null };
}
