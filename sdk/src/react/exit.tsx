import { useEffect } from 'react';
import type { CSSProperties, MouseEvent } from 'react';
import { onThreeShifts, quickExit } from '../exit.js';
import { useSource } from './provider.js';

const english = {
  leave: 'Leave this page.',
  note: 'Or press Shift three times. This does not erase browser history.',
};
const sticky: CSSProperties = { position: 'sticky', top: 0, zIndex: 1 };

export interface QuickExitProps {
  /** Takes the place of the style that keeps it in sight. */
  className?: string;
  texts?: Partial<typeof english>;
}

/**
 * Leaves at once, by a press or by Shift three times: the page goes blank, the
 * session ends in all tabs and at the server, and the provider's `exitUrl` takes
 * the page's place. Without script it is a link to there.
 */
export function QuickExit({ className, texts }: QuickExitProps) {
  const source = useSource();
  const t = { ...english, ...texts };
  const exit = (e?: MouseEvent) => {
    e?.preventDefault();
    void quickExit(source.manager, source.exitUrl);
  };
  useEffect(() => onThreeShifts(exit), [source]);
  return (
    <div className={className} style={className ? undefined : sticky}>
      <a href={source.exitUrl} rel="noreferrer" onClick={exit}>{t.leave} <small>{t.note}</small></a>
    </div>
  );
}
