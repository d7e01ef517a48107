// The private key as a text that a person keeps: a version, the secret, what the
// service was called when it was made, and a checksum, in base32 by fours.

import { digest, fixed, join } from '/values.js';
import { Problem } from '/problems.js';

const letters = 'abcdefghijklmnopqrstuvwxyz234567';
const version = 1;
const secretBytes = 32, pinBytes = 16, sumBytes = 4;
const size = 1 + secretBytes + pinBytes + sumBytes;

// pinned is a mark of all that a service may never change for a key.
async function pinned({ service, epoch, key }) {
  return (await digest(new TextEncoder().encode(JSON.stringify([service, epoch, key])))).subarray(0, pinBytes);
}

export async function write(secret, pins) {
  const body = join([version], fixed(secret, secretBytes), await pinned(pins));
  const raw = join(body, (await digest(body)).subarray(0, sumBytes));
  let text = '', bits = 0, held = 0;
  for (const b of raw) {
    bits = (bits << 8) | b;
    for (held += 8; held >= 5; held -= 5) text += letters[(bits >>> (held - 5)) & 31];
    bits &= 31;
  }
  if (held > 0) text += letters[(bits << (5 - held)) & 31];
  return text.match(/.{1,4}/g).join('-');
}

// read returns the secret in decimal.
export async function read(text, pins) {
  const out = [];
  let bits = 0, held = 0;
  for (const c of text.toLowerCase().replace(/[\s-]/g, '')) {
    const n = letters.indexOf(c);
    if (n < 0) throw new Problem('key');
    bits = ((bits << 5) | n) & 0xfff;
    if ((held += 5) >= 8) out.push((bits >>> (held -= 8)) & 255);
  }
  const raw = Uint8Array.from(out);
  const body = raw.subarray(0, size - sumBytes);
  const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
  if (raw.length !== size || raw[0] !== version || !same((await digest(body)).subarray(0, sumBytes), raw.subarray(size - sumBytes))) throw new Problem('key');
  if (!same(await pinned(pins), body.subarray(1 + secretBytes))) throw new Problem('changed');
  return body.subarray(1, 1 + secretBytes).reduce((n, b) => (n << 8n) | BigInt(b), 0n).toString();
}
