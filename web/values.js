// The values that a proof is made for and a snapshot is signed over, computed on
// this device: whoever could choose them could tell who proves.

// The first bytes of each, in base64 because no file of a page says what the
// service is for; docs/decisions has a page on them.
const tags = {
  scope: 'bWVudGFsdmVyc2U6YW5vbnltb3VzOg',
  message: 'bWVudGFsdmVyc2U6c2Vzc2lvbjo',
  enrol: 'bWVudGFsdmVyc2U6ZW5yb2w6',
  snapshot: 'bWVudGFsdmVyc2U6c25hcHNob3Q6',
};

const order = 21888242871839275222246405745257275088548364400416034343698204186575808495617n; // of BN254's scalars

// bytes reads unpadded base64url in its one spelling; null for anything else.
export function bytes(text) {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  const out = Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  return base64(out) === text ? out : null;
}

export const base64 = (raw) => btoa(String.fromCharCode(...raw)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

export const digest = async (raw) => new Uint8Array(await crypto.subtle.digest('SHA-256', raw));

export const join = (...parts) => new Uint8Array(parts.flatMap((p) => [...p]));

// fixed writes a whole number big-endian.
export function fixed(n, length) {
  const out = new Uint8Array(length);
  for (let i = length - 1, rest = BigInt(n); i >= 0; i--, rest >>= 8n) out[i] = Number(rest & 255n);
  return out;
}

export const decimal = (raw) => [...raw].reduce((n, b) => (n << 8n) | BigInt(b), 0n).toString();

// isScalar tells whether a text is an element of the field in its one spelling.
export const isScalar = (text) => typeof text === 'string' && /^(0|[1-9]\d{0,76})$/.test(text) && BigInt(text) < order;

function name(text) {
  if (typeof text !== 'string' || !/^[!-~]{1,255}$/.test(text)) throw new TypeError('not a name');
  return join(fixed(text.length, 2), new TextEncoder().encode(text));
}

const value = async (tag, ...parts) => decimal(await digest(join(bytes(tag), ...parts)));

export const scope = async (service, epoch) => value(tags.scope, name(service), fixed(epoch, 8));
export const message = async (service, nonce) => value(tags.message, name(service), name(nonce));
export const enrolScope = async (service, nonce) => value(tags.enrol, name(service), name(nonce));

// signed is what is signed of a snapshot, and hashed.
export const signed = (service, s) => join(
  bytes(tags.snapshot), name(service), fixed(s.number, 8), fixed(s.root, 32), fixed(s.size, 4), fixed(s.epoch, 8),
  fixed(Date.parse(s.created_at) / 1000, 8), bytes(s.previous));
