// A page of React's, on the small world of world.ts.
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';
import type { ReactNode } from 'react';
import { afterEach } from 'vitest';
import { settle } from './world.js';

let roots: Root[] = [];

export const text = () => document.body.textContent;

export function find<E extends Element>(selector: string): E {
  const found = document.querySelector<E>(selector);
  if (!found) throw new Error(`there is no ${selector} in ${document.body.innerHTML}`);
  return found;
}

export function button(name: string): HTMLButtonElement {
  const found = [...document.querySelectorAll('button')].find((b) => b.textContent === name);
  if (!found) throw new Error(`there is no button ${name} in ${document.body.innerHTML}`);
  return found;
}

/** Lets React and what it waits for finish. */
export const rendered = () => settle();

export async function show(node: ReactNode): Promise<Root> {
  document.body.replaceChildren(document.createElement('main'));
  const root = createRoot(find('main'));
  roots.push(root);
  root.render(node);
  await rendered();
  return root;
}

export async function leavePage(): Promise<void> {
  for (const r of roots) r.unmount();
  roots = [];
  await rendered();
}

afterEach(async () => {
  await leavePage();
  if (!document.body) document.documentElement.append(document.createElement('head'), document.createElement('body'));
});
