// What the README's samples take for granted.
import type { JSX } from 'react';
import type { SessionManager } from '@mentalverse/session';

declare global {
  const sessions: SessionManager;
  const dialog: HTMLDialogElement;
  const extendButton: HTMLButtonElement;
  const list: HTMLElement;
  const problem: HTMLElement;
  /** A credential of the person's, wherever the page gets it. */
  const credential: string & (() => Promise<string>);
  const passphrase: string;
  const bar: { show(stage: string, done: number): void };
  function showToKeep(text: string): void;
  function Compose(): JSX.Element;
}
