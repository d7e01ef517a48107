// Signs in with a P-256 key that this browser keeps (an Internet Computer
// identity), and lives in cookies that no script can read.

const api = '/api/auth';
const show = (id) => document.getElementById(id);
let proof = ''; // the session's csrf_token: in memory only

// --- calls ---

async function call(method, path, body, headers = {}) {
  const res = await fetch(api + path, {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    headers: {
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...(proof ? { 'Session-CSRF': proof } : {}),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await res.json();
  if (!answer.success) throw Object.assign(new Error(answer.error.message), answer.error, { status: res.status });
  return answer.data;
}

// --- the device's key ---

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

// --- signing in ---

const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

async function signIn() {
  const pair = await deviceKey();
  const der = new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey));
  const { message } = await call('POST', '/challenge', { chain: 'icp', address: principal(der), session_type: 'standard' });
  const text = new TextEncoder();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', text.encode(message)));
  const signed = new Uint8Array([...text.encode('\x13ic-signer-challenge'), ...digest]);
  const signature = new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, signed));
  const credential = base64url(text.encode(JSON.stringify({
    v: 1, type: 'icp:icrc32', message, signature: base64url(signature), publicKey: base64url(der),
  })));
  const made = await call('POST', '/sessions', { transport: 'cookie', activity: 'reported', device_label: label() },
    { Authorization: `Bearer ${credential}` });
  proof = made.csrf_token;
}

// label is coarse on purpose: it is all that is kept about the device.
function label() {
  const agent = navigator.userAgent;
  const browser = /Firefox\//.test(agent) ? 'Firefox' : /Edg\//.test(agent) ? 'Edge' : /Chrome\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : 'Browser';
  const system = /Android/.test(agent) ? 'Android' : /iPhone|iPad/.test(agent) ? 'iOS' : /Windows/.test(agent) ? 'Windows' : /Mac OS X/.test(agent) ? 'macOS' : /Linux/.test(agent) ? 'Linux' : '';
  return system ? `${browser} on ${system}` : browser;
}

// --- what the page shows ---

const when = (text) => new Date(text).toLocaleString();

async function look() {
  let current = null;
  let unknown = false;
  try {
    current = await call('GET', '/sessions/current');
  } catch (e) {
    if (e.code === 'session_expired' && e.details?.reason === 'token_expired') {
      current = await renew(e.details.csrf_token);
    } else if (!e.status || e.status >= 500 || e.status === 429) {
      unknown = true; // not knowing is not being signed out
    }
  }
  if (unknown) {
    show('status').textContent = 'The service cannot be reached right now. Trying again…';
    setTimeout(look, 3000 + Math.random() * 2000);
    return;
  }
  show('in').hidden = !current;
  show('out').hidden = !!current;
  show('status').textContent = '';
  if (!current) return;
  proof = current.csrf_token;
  show('since').textContent = when(current.created_at);
  show('until').textContent = when(current.session_expires_at);
  show('idle').textContent = when(current.idle_expires_at);
  const { sessions } = await call('GET', '/sessions');
  show('sessions').replaceChildren(...sessions.map(row));
}

async function renew(csrf) {
  try {
    proof = csrf;
    const made = await call('POST', '/sessions/refresh', {});
    proof = made.csrf_token;
    return await call('GET', '/sessions/current');
  } catch {
    return null;
  }
}

function row(s) {
  const li = document.createElement('li');
  const text = document.createElement('span');
  text.textContent = `${s.device_label || 'A device'}, since ${when(s.created_at)}`;
  li.append(text);
  if (s.current) {
    const here = document.createElement('strong');
    here.textContent = 'this one';
    li.append(here);
  } else {
    const end = document.createElement('button');
    end.type = 'button';
    end.className = 'quiet';
    end.textContent = 'Sign out';
    end.onclick = act(end, () => call('DELETE', `/sessions/${s.session_id}`));
    li.append(end);
  }
  return li;
}

// act makes a button's handler: one at a time, and what went wrong is shown.
function act(button, work) {
  return async () => {
    button.disabled = true;
    try {
      await work();
      await document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });

look();
    } catch (e) {
      show('status').textContent = e.message;
    } finally {
      button.disabled = false;
    }
  };
}

show('signin').onclick = act(show('signin'), signIn);
show('others').onclick = act(show('others'), () => call('DELETE', '/sessions'));
show('logout').onclick = act(show('logout'), async () => {
  show('in').hidden = true; // gone from the screen before the network answers
  show('sessions').replaceChildren();
  await call('POST', '/sessions/logout', {});
  proof = '';
});

// The person's activity, told at most once a minute.
let told = Date.now();
for (const kind of ['pointerdown', 'keydown', 'scroll']) {
  addEventListener(kind, () => {
    if (!proof || Date.now() - told < 60_000) return;
    told = Date.now();
    call('POST', '/sessions/activity', {}).catch(() => {});
  }, { passive: true });
}

// A page that comes back from the back-forward cache must not show what was.
addEventListener('pageshow', (e) => { if (e.persisted) location.reload(); });
addEventListener('pagehide', () => { show('in').hidden = true; });

document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });

look();
