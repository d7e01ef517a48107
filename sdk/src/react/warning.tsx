import { useEffect, useId, useRef, useState } from 'react';
import type { SyntheticEvent } from 'react';
import { SessionMonitor } from '../monitor.js';
import type { MonitorOptions } from '../monitor.js';
import type { Expiry } from '../state.js';
import { now } from '../time.js';
import { useSession } from './session.js';

const english = {
  idle: (time: string) => `You will be signed out in ${time}.`,
  end: (time: string) => `You will be signed out in ${time}. Save your work.`,
  back: 'You stay signed in.',
  failed: 'Try again.',
  stay: 'Stay signed in',
  close: 'OK',
  leave: 'Sign out',
  time: (seconds: number) => (seconds > 90 ? `${Math.round(seconds / 60)} minutes` : `${seconds} seconds`),
};

const told = [10, 30, 60]; // seconds that are announced; more would interrupt

export interface ExpiryWarningProps extends Pick<MonitorOptions, 'activityThreshold' | 'warning'> {
  className?: string;
  texts?: Partial<typeof english>;
}

interface Shown extends Expiry { until: number; note?: 'back' | 'failed' }

/**
 * Warns before the session ends, in a dialog that a press or Escape answers. It
 * watches over the person with a SessionMonitor of its own: one on a page. When
 * the person comes back in this tab the dialog stays until they answer, so that
 * no press meets what lies beneath; when they are in another tab it goes away.
 */
export function ExpiryWarning({ activityThreshold, warning, className, texts }: ExpiryWarningProps) {
  const { sessionManager, status } = useSession();
  const [shown, show] = useState<Shown>();
  const [left, setLeft] = useState(0);
  const monitor = useRef<SessionMonitor>(undefined);
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const t = { ...english, ...texts };

  useEffect(() => {
    if (!sessionManager) return undefined;
    const m = (monitor.current = new SessionMonitor(sessionManager, {
      activityThreshold,
      warning,
      exitUrl: null,
      onWarning: (e) => {
        setLeft(e.endsIn);
        show({ ...e, until: now() + e.endsIn * 1000 });
      },
      onResume: () => { show((s) => (s && document.hasFocus() ? { ...s, note: 'back' } : undefined)); },
    }));
    return () => { m.dispose(); };
  }, [sessionManager, activityThreshold, warning]);

  useEffect(() => {
    if (status !== 'authenticated') show(undefined);
  }, [status]);

  useEffect(() => {
    const d = dialog.current;
    if (d && d.open !== !!shown) {
      if (shown) d.showModal();
      else d.close();
    }
    if (!shown || shown.note) return undefined;
    const timer = setInterval(() => { setLeft(Math.max(0, Math.ceil((shown.until - now()) / 1000))); }, 1000);
    return () => { clearInterval(timer); };
  }, [shown]);

  const idle = shown?.reason === 'idle_timeout';
  const answer = (e: SyntheticEvent) => {
    e.preventDefault();
    if (!idle) show(undefined);
    else monitor.current?.extend().then(() => { show(undefined); }, () => { show((s) => s && { ...s, note: 'failed' }); });
  };

  const soon = told.find((s) => shown && s < shown.endsIn && s >= left);
  return (
    <dialog ref={dialog} role="alertdialog" className={className} aria-labelledby={id} onCancel={answer} onClose={answer}>
      {shown && (
        <>
          <p id={id}>{(idle ? t.idle : t.end)(t.time(shown.endsIn))}</p>
          {!shown.note && <p role="timer">{t.time(left)}</p>}
          <p role="status">{shown.note ? t[shown.note] : soon && t.time(soon)}</p>
          <button type="button" onClick={answer}>{idle ? t.stay : t.close}</button>
          <button type="button" onClick={() => { void sessionManager?.logout(); }}>{t.leave}</button>
        </>
      )}
    </dialog>
  );
}
