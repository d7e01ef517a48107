import { adopt } from './adopt.js';
import { end } from './ending.js';
import { SessionError, endedBy } from './errors.js';
import { viewOf } from './held.js';
import { show } from './publish.js';
import { refresh } from './refresh.js';
import { later, schedule } from './schedule.js';
import { ask } from './service.js';
import type { SessionView, Validation } from './state.js';
import type { Tab } from './tab.js';
import { now } from './time.js';

/** Whether the session is good, from memory for a while. */
export async function validateCached(tab: Tab): Promise<Validation> {
  const v = tab.validated;
  const age = v ? now() - v.at : Infinity;
  if (v && v.step === tab.held?.step && age < (tab.config.validationCache ?? 5000)) {
    return { ...v.value, time_remaining: Math.max(0, v.value.time_remaining - Math.round(age / 1000)) };
  }
  return validate(tab);
}

/** Whether the session is good, asked once for all callers of this tab. */
export async function validate(tab: Tab): Promise<Validation> {
  if (!tab.held) return { valid: false, reason: tab.snapshot.status === 'loading' ? 'network_error' : 'no_token' };
  tab.validating ??= askServer(tab).finally(() => { tab.validating = undefined; });
  return tab.validating;
}

async function askServer(tab: Tab, again = true): Promise<Validation> {
  const { epoch } = tab;
  const step = tab.held?.step ?? '';
  try {
    const { data, at } = await ask<Validation & { valid: true } & SessionView>(tab, '/sessions/validate', { headers: { 'Session-Activity': 'background' } });
    const view = viewOf(data);
    const h = tab.held;
    if (h && epoch === tab.epoch && h.step === step) {
      tab.held = { ...h, view, since: at, life: data.time_remaining * 1000 };
      tab.validated = { at: now(), step, value: data };
      show(tab, view);
      schedule(tab);
    }
    return data;
  } catch (e) {
    if (!(e instanceof SessionError)) throw e;
    if (epoch === tab.epoch && e.code === 'session_expired' && !endedBy(e) && again) {
      try {
        await refresh(tab);
        return await askServer(tab, false);
      } catch { /* it told, or will be tried again */ }
    }
    if (!(await endIf(tab, e, epoch, step)) && e.retryable) later(tab, e);
    return { valid: false, reason: e.code };
  }
}

/** Ends the session if the error says so, of the pair that it was about. */
export async function endIf(tab: Tab, e: unknown, epoch: number, step: string): Promise<boolean> {
  const reason = endedBy(e);
  if (!reason || epoch !== tab.epoch || tab.held?.step !== step) return false;
  if (await adopt(tab)) {
    void validate(tab); // the refusal was about an older pair
    return false;
  }
  await end(tab, reason, true);
  return true;
}

/** The token's time is nearly over, or the session's. */
export async function due(tab: Tab): Promise<void> {
  try {
    if (tab.held?.lead === undefined) await validate(tab);
    else await refresh(tab);
  } catch (e) {
    later(tab, e);
  }
}
