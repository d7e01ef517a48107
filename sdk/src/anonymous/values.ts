// The values that a proof is made for and a snapshot is signed over, computed
// here: whoever could choose them could tell who proves. They are written down
// in docs/decisions/2026-11-25-anonymous-values.md.

type Bytes = Uint8Array<ArrayBuffer>;

const order = 21888242871839275222246405745257275088548364400416034343698204186575808495617n; // of BN254's scalars
const text = new TextEncoder();

/** Unpadded base64url in its one spelling; undefined for anything else. */
export function bytesOf(s: unknown): Bytes | undefined {
  if (typeof s !== 'string' || !/^[A-Za-z0-9_-]*$/.test(s) || s.length % 4 === 1) return undefined;
  const out = Uint8Array.from(atob(s.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  return base64url(out) === s ? out : undefined;
}

export const base64url = (raw: Uint8Array): string =>
  btoa(String.fromCharCode(...raw)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

export const sha256 = async (raw: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest('SHA-256', raw));

export const join = (...parts: ArrayLike<number>[]): Bytes => new Uint8Array(parts.flatMap((p) => Array.from(p)));

/** A whole number in so many bytes, big-endian. */
export function fixed(n: number | bigint | string, length: number): Bytes {
  const out = new Uint8Array(length);
  let rest = BigInt(n);
  for (let i = length - 1; i >= 0; i--, rest >>= 8n) out[i] = Number(rest & 255n);
  return out;
}

export const number = (raw: Uint8Array): bigint => raw.reduce((n, b) => (n << 8n) | BigInt(b), 0n);

/** Whether a text is an element of the field in its one spelling. */
export const isScalar = (s: unknown): s is string => typeof s === 'string' && /^(0|[1-9]\d{0,76})$/.test(s) && BigInt(s) < order;

/** Whether something can name a service or a challenge. */
export const isName = (s: unknown): s is string => typeof s === 'string' && /^[!-~]{1,255}$/.test(s);

const name = (s: string): Bytes => join(fixed(s.length, 2), text.encode(s));

const value = async (tag: string, ...parts: Uint8Array[]): Promise<string> =>
  number(await sha256(join(text.encode(`mentalverse:${tag}:`), ...parts))).toString();

/** What a sign-in in an epoch is for. */
export const scopeOf = (service: string, epoch: number): Promise<string> => value('anonymous', name(service), fixed(epoch, 8));
export const messageOf = (service: string, nonce: string): Promise<string> => value('session', name(service), name(nonce));
export const enrolScopeOf = (service: string, nonce: string): Promise<string> => value('enrol', name(service), name(nonce));

/** A snapshot's fields that are signed, and hashed. */
export interface Signed { number: number; root: string; size: number; epoch: number; created_at: string; previous: string }

export const signedText = (service: string, s: Signed): Bytes => join(
  text.encode('mentalverse:snapshot:'), name(service), fixed(s.number, 8), fixed(s.root, 32), fixed(s.size, 4), fixed(s.epoch, 8),
  fixed(Date.parse(s.created_at) / 1000, 8), bytesOf(s.previous) ?? [],
);
