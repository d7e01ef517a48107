import type { SessionManager } from './manager.js';

const threeShifts = 3000; // ms

/** Shows nothing any more. */
function blank(): void {
  document.documentElement.replaceChildren();
}

/** Blanks the page and goes elsewhere. The browser's history keeps what was visited before. */
export function leave(url = 'about:blank'): void {
  blank();
  location.replace(url);
}

/** Blanks the page first, ends the session in all tabs and at the server, and goes elsewhere. */
export async function quickExit(manager: SessionManager, url = 'about:blank'): Promise<void> {
  blank();
  const told = manager.exit();
  location.replace(url);
  await told;
}

/** Calls back when Shift is pressed three times within three seconds; the answer stops it. */
export function onThreeShifts(leave: () => void): () => void {
  let pressed: number[] = [];
  const see = (e: KeyboardEvent) => {
    if (e.key !== 'Shift') pressed = [];
    else if (!e.repeat) pressed = [...pressed, e.timeStamp].filter((t) => e.timeStamp - t < threeShifts);
    if (pressed.length === 3) leave();
  };
  document.addEventListener('keydown', see);
  return () => { document.removeEventListener('keydown', see); };
}
