// A key that this browser makes and keeps, as an Internet Computer account: for
// development only, where no wallet is at hand.

import { base64url } from '/wallets.js';

// --- the key ---

function database() {
  return new Promise((resolve, reject) => {
    const open = indexedDB.open('account', 1);
    open.onupgradeneeded = () => open.result.createObjectStore('keys');
    open.onsuccess = () => resolve(open.result);
    open.onerror = () => reject(open.error);
  });
}

function request(db, mode, use) {
  return new Promise((resolve, reject) => {
    const r = use(db.transaction('keys', mode).objectStore('keys'));
    r.onsuccess = () => resolve(r.result);
    r.onerror = () => reject(r.error);
  });
}

async function deviceKey() {
  const db = await database();
  try {
    const kept = await request(db, 'readonly', (s) => s.get('device'));
    if (kept) return kept;
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    await request(db, 'readwrite', (s) => s.put(pair, 'device'));
    return pair;
  } finally {
    db.close();
  }
}

// --- its principal: CRC-32 ‖ SHA-224(DER) ‖ 2, in base32 by fives (IC interface
// specification, "Textual representation of principals") ---

const K = (() => { // the first 32 bits of the cube roots' fractions of the first 64 primes (FIPS 180-4)
  const out = [];
  for (let n = 2; out.length < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (prime) out.push(Number(icbrt(BigInt(n) << 96n) & 0xffffffffn));
  }
  return out;
})();

function icbrt(n) { // the integer cube root: 32 bits of fraction of a number shifted by 96
  let low = 0n, high = 1n << 40n;
  while (high - low > 1n) {
    const mid = (low + high) >> 1n;
    if (mid * mid * mid <= n) low = mid; else high = mid;
  }
  return low;
}

function sha224(bytes) {
  const h = [0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4];
  const size = Math.ceil((bytes.length + 9) / 64) * 64;
  const padded = new Uint8Array(size);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(size - 4, bytes.length * 8);
  const rot = (x, n) => (x >>> n) | (x << (32 - n));
  const w = new Int32Array(64);
  for (let at = 0; at < size; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const s0 = rot(w[i - 15], 7) ^ rot(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const s1 = rot(w[i - 2], 17) ^ rot(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, x] = h;
    for (let i = 0; i < 64; i++) {
      const t1 = (x + (rot(e, 6) ^ rot(e, 11) ^ rot(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const t2 = ((rot(a, 2) ^ rot(a, 13) ^ rot(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      x = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    [a, b, c, d, e, f, g, x].forEach((v, i) => { h[i] = (h[i] + v) | 0; });
  }
  const out = new DataView(new ArrayBuffer(28));
  for (let i = 0; i < 7; i++) out.setInt32(4 * i, h[i]);
  return new Uint8Array(out.buffer);
}

function crc32(bytes) {
  let c = -1;
  for (const b of bytes) {
    c ^= b;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (0xedb88320 & -(c & 1));
  }
  return (c ^ -1) >>> 0;
}

function principal(der) {
  const body = new Uint8Array([...sha224(der), 2]);
  const sum = crc32(body);
  const all = [sum >>> 24, (sum >>> 16) & 255, (sum >>> 8) & 255, sum & 255, ...body];
  let bits = 0, held = 0, text = '';
  for (const b of all) {
    bits = (bits << 8) | b;
    for (held += 8; held >= 5; held -= 5) text += 'abcdefghijklmnopqrstuvwxyz234567'[(bits >>> (held - 5)) & 31];
    bits &= 31;
  }
  if (held > 0) text += 'abcdefghijklmnopqrstuvwxyz234567'[(bits << (5 - held)) & 31];
  return text.match(/.{1,5}/g).join('-');
}

// --- as a wallet ---

export const device = {
  chain: 'icp',
  async connect() {
    const pair = await deviceKey();
    const der = new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey));
    return {
      address: principal(der),
      async sign(message) {
        const text = new TextEncoder();
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', text.encode(message)));
        const signed = new Uint8Array([...text.encode('\x13ic-signer-challenge'), ...digest]);
        const signature = new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, signed));
        return { type: 'icp:icrc32', signature: base64url(signature), publicKey: base64url(der) };
      },
    };
  },
};
