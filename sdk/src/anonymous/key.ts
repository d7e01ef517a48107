import { markOf } from './pins.js';
import type { Pins } from './pins.js';
import { problem } from './problems.js';
import { base64url, bytesOf, fixed, join, number, sha256 } from './values.js';

type Bytes = Uint8Array<ArrayBuffer>;

// An identity's secret as a text that a person keeps: a version, the secret, a
// mark of the service's pins and a checksum, in base32 by fours. The service's
// own page reads and writes the same.
const letters = 'abcdefghijklmnopqrstuvwxyz234567';
const version = 1;
const secretBytes = 32, markBytes = 16, sumBytes = 4;
const longest = 4096; // characters of a backup, spaces included
const size = 1 + secretBytes + markBytes + sumBytes;
const order = 2736030358979909402780800718157159386076813972158567259200215660948447373041n; // of Baby Jubjub's prime subgroup

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

export async function write(secret: string, pins: Pins): Promise<string> {
  const body = join([version], fixed(secret, secretBytes), await markOf(pins));
  return spell(join(body, (await sha256(body)).subarray(0, sumBytes))).replace(/.{4}(?=.)/g, '$&-');
}

/** What stands in a text, however a person typed it. */
export async function read(text: string): Promise<{ secret: string; mark: Uint8Array }> {
  const raw = text.length > longest ? undefined : unspell(text.toLowerCase().replace(/[\s-]/g, ''));
  if (raw?.length !== size) throw problem('backup_invalid');
  const body = raw.slice(0, size - sumBytes);
  const secret = number(body.subarray(1, 1 + secretBytes));
  const good = raw[0] === version && same((await sha256(body)).subarray(0, sumBytes), raw.subarray(size - sumBytes))
    && secret > 0n && secret < order;
  if (!good) throw problem('backup_invalid');
  return { secret: secret.toString(), mark: body.slice(1 + secretBytes) };
}

/** Refuses the key of another service, or of this one as it was before its pins changed. */
export async function secretFor(text: string, pins: Pins): Promise<string> {
  const { secret, mark } = await read(text);
  if (!same(mark, await markOf(pins))) throw problem('service_changed');
  return secret;
}

function spell(raw: Uint8Array): string {
  let out = '', bits = 0, held = 0;
  for (const b of raw) {
    bits = (bits << 8) | b;
    for (held += 8; held >= 5; held -= 5) out += letters[(bits >>> (held - 5)) & 31];
    bits &= 31;
  }
  if (held > 0) out += letters[(bits << (5 - held)) & 31];
  return out;
}

/** The bytes of a text in base32 in their one spelling; undefined for anything else. */
function unspell(text: string): Bytes | undefined {
  const out: number[] = [];
  let bits = 0, held = 0;
  for (const c of text) {
    bits = ((bits << 5) | letters.indexOf(c)) & 0xfff;
    if ((held += 5) >= 8) out.push((bits >>> (held -= 8)) & 255);
  }
  const raw = Uint8Array.from(out);
  return spell(raw) === text ? raw : undefined;
}

// --- under a passphrase ---

// k1. and the base64url of: rounds of PBKDF2 in four bytes, salt in 16, IV in
// 12, and the text under AES-256-GCM. The first two are authenticated.
const prefix = 'k1.';
const saltAt = 4, ivAt = 20, sealedAt = 32;
const hashRounds = 600_000;
const fewestRounds = 100_000, mostRounds = 10_000_000; // a backup from elsewhere may not hang the page
const shortest = 12;

export const isSealed = (text: string): boolean => text.trim().startsWith(prefix);

/** Encrypts a text that a person keeps. */
export async function seal(text: string, passphrase: string): Promise<string> {
  if (passphrase.normalize('NFKC').length < shortest) throw problem('passphrase_short');
  const head = join(fixed(hashRounds, 4), crypto.getRandomValues(new Uint8Array(ivAt - saltAt)));
  const iv = crypto.getRandomValues(new Uint8Array(sealedAt - ivAt));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: head }, await keyOf(passphrase, head), new TextEncoder().encode(text));
  return prefix + base64url(join(head, iv, new Uint8Array(sealed)));
}

export async function unseal(text: string, passphrase: string): Promise<string> {
  const raw = text.length > longest ? undefined : bytesOf(text.trim().slice(prefix.length));
  try {
    if (!raw) throw problem('backup_invalid');
    const head = raw.slice(0, ivAt);
    const opened = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: raw.slice(ivAt, sealedAt), additionalData: head }, await keyOf(passphrase, head), raw.slice(sealedAt));
    return new TextDecoder().decode(opened);
  } catch {
    throw problem('backup_invalid');
  }
}

async function keyOf(passphrase: string, head: Bytes): Promise<CryptoKey> {
  const iterations = Number(number(head.subarray(0, saltAt)));
  if (iterations < fewestRounds || iterations > mostRounds) throw problem('backup_invalid');
  const from = await crypto.subtle.importKey('raw', new TextEncoder().encode(passphrase.normalize('NFKC')), 'PBKDF2', false, ['deriveKey']);
  return crypto.subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt: head.slice(saltAt), iterations }, from, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}
