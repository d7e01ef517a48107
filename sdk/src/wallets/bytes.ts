import { walletError } from './errors.js';

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

export const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

/** A copy of bytes that a wallet gave, of this realm or another: at least one, at most `most`. It throws for what is not bytes. */
export function bytes(given: unknown, most: number): Uint8Array<ArrayBuffer> {
  const all = ArrayBuffer.isView(given)
    ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
    : new Uint8Array(new DataView(given as ArrayBuffer).buffer); // which takes no imitation
  if (all.length < 1 || all.length > most) throw walletError('wallet_failed', 'no bytes, or too many');
  return all.slice();
}

export const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);
