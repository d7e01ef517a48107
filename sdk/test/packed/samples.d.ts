// What the README's samples take for granted.
import type { JSX } from 'react';
import type { SessionManager } from '@mentalverse/session';

declare global {
  const sessions: SessionManager;
  const dialog: HTMLDialogElement;
  const extendButton: HTMLButtonElement;
  const list: HTMLElement;
  const problem: HTMLElement;
  const bar: { show(stage: string, done: number): void };
  const passphrase: string;
  function showToKeep(text: string): void;
  /** A credential of the person's, wherever the page gets it. */
  const credential: string & (() => Promise<string>);
  function Compose(): JSX.Element;
}
