import { show, viewed } from './publish.js';
import { schedule } from './schedule.js';
import type { Tab } from './tab.js';

/** Takes what a sibling stored; false when there is nothing newer, or the session is not that of the epoch. */
export async function adopt(tab: Tab, epoch = tab.epoch): Promise<boolean> {
  const mark = await tab.keep.mark();
  const h = tab.held;
  if (!h || epoch !== tab.epoch) return false;
  if (tab.cookies) {
    if (!mark || mark.step === h.step) return false;
    tab.held = { ...h, step: mark.step, since: mark.at, life: mark.left, lead: mark.lead, view: { ...h.view, expires_at: mark.end } };
    return true;
  }
  const kept = await tab.keep.get();
  if (!kept || kept.refresh === h.refresh || epoch !== tab.epoch) return false;
  tab.held = kept.view.session_id ? kept : { ...kept, view: h.view };
  return true;
}

/** A sibling says that it went on. */
export async function follow(tab: Tab): Promise<void> {
  if (!(await adopt(tab))) return;
  schedule(tab);
  show(tab, viewed(tab), 'refreshed');
}
