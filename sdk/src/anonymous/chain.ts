import { isObject } from '../http.js';
import { isAhead, isWhole } from './pins.js';
import type { Pins } from './pins.js';
import { problem } from './problems.js';
import { base64url, bytesOf, isScalar, sha256, signedText } from './values.js';
import type { Signed } from './values.js';

export const mostMembers = 2 ** 20; // of a tree of the pinned depth

/** A snapshot of the group as the service signed it. */
export interface Snapshot extends Signed { signature: string }

/** One that was read and checked, with its hash, which names it and all before it. */
export interface Checked extends Snapshot { hash: string }

/**
 * Reads what can be a snapshot, of a service whose key signed it. Where the
 * browser has no Ed25519 the chain of hashes is followed all the same.
 */
export class Reader {
  readonly #service: string;
  readonly #key: CryptoKey | undefined;

  private constructor(service: string, key: CryptoKey | undefined) {
    this.#service = service;
    this.#key = key;
  }

  static async of({ serviceId, key }: Pins): Promise<Reader> {
    try {
      return new Reader(serviceId, await crypto.subtle.importKey('raw', bytesOf(key) ?? new Uint8Array(), 'Ed25519', false, ['verify']));
    } catch (e) {
      if ((e as Error).name === 'NotSupportedError') return new Reader(serviceId, undefined);
      throw problem('group_invalid');
    }
  }

  async read(s: unknown): Promise<Checked> {
    if (!isObject(s)) throw problem('group_invalid');
    const { number, root, size, epoch, created_at: at, previous, signature } = s;
    const before = bytesOf(previous);
    const signed = bytesOf(signature);
    const good = isWhole(number, Number.MAX_SAFE_INTEGER) && isScalar(root) && root !== '0' && isWhole(size, mostMembers) && size > 0 && isWhole(epoch, 2 ** 20)
      && typeof at === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(at) && Date.parse(at) >= 0 && Date.parse(at) % 300_000 === 0
      && before?.length === 32 && (number === 0) === before.every((b) => b === 0) && signed?.length === 64;
    if (!good) throw problem('group_invalid');
    const snapshot = { number, root, size, epoch, created_at: at, previous: previous as string, signature: signature as string };
    const text = signedText(this.#service, snapshot);
    if (this.#key && !(await crypto.subtle.verify('Ed25519', this.#key, signed, text))) throw problem('group_invalid');
    return { ...snapshot, hash: base64url(await sha256(text)) };
  }
}

/** Whether b can come next after a. Within an epoch nobody goes. */
const follows = (a: Checked, b: Checked): boolean => b.number === a.number + 1 && b.previous === a.hash && b.created_at >= a.created_at
  && (b.epoch > a.epoch || (b.epoch === a.epoch && b.size >= a.size));

/**
 * The last of a list that grows out of head, or out of nothing at the first
 * contact. The list is of what comes after the snapshot with the number `from`,
 * which may be one before the head.
 */
export async function extend(reader: Reader, head: Checked | undefined, from: number | undefined, list: unknown[]): Promise<Checked | undefined> {
  let last: Checked | undefined;
  let met = !head || (list.length === 0 && from === head.number);
  for (const entry of list) {
    const s = await reader.read(entry);
    if (isAhead(Date.parse(s.created_at))) throw problem('clock_wrong');
    if (last && !follows(last, s)) throw problem('group_forked');
    if (head && s.number === head.number) {
      if (s.hash !== head.hash) throw problem('group_forked');
      met = true;
    } else if (head && s.number === head.number + 1) {
      if (!follows(head, s)) throw problem('group_forked');
      met = true;
    }
    last = s;
  }
  if (!met || (head && last && last.number < head.number)) throw problem('group_forked');
  return last ?? head;
}
