// Follows the group of members as the service publishes it, and refuses what
// does not grow out of what this browser saw before: else somebody could be
// shown a group of their own, and be known by it.

import { Problem } from '/problems.js';
import { base64, bytes, digest, isScalar, signed } from '/values.js';

const api = '/api/auth/anonymous/';
const day = 24 * 3600_000; // how far the service's clock may be from this one
const listed = 1000; // snapshots in one answer
const pageSize = 4096;
const rounds = 3; // in which the group may move on while it is followed

// get asks as nobody: no cookie goes along, and no connection that ever had one.
async function get(path) {
  const res = await fetch(api + path, { credentials: 'omit' });
  const answer = await res.json();
  if (answer.error?.code === 'unavailable') throw new Problem('closed');
  if (!answer.success) throw Object.assign(new Error(answer.error.code), { status: res.status, code: answer.error.code });
  return answer.data;
}

const whole = (n, most) => Number.isSafeInteger(n) && n >= 0 && n <= most;

// snapshot takes what can be one, and gives it its hash.
async function snapshot(service, s) {
  const previous = bytes(s.previous);
  const at = Date.parse(s.created_at);
  const good = whole(s.number, Number.MAX_SAFE_INTEGER) && isScalar(s.root) && s.root !== '0' && whole(s.size, 2 ** 20) && s.size > 0
    && whole(s.epoch, 2 ** 20) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(s.created_at) && at >= 0 && at % 300_000 === 0
    && previous?.length === 32 && (s.number === 0) === previous.every((b) => b === 0) && bytes(s.signature)?.length === 64;
  if (!good) throw new Problem('group');
  const { number, root, size, epoch, created_at } = s;
  const text = signed(service, s);
  return { number, root, size, epoch, created_at, previous: s.previous, signature: s.signature, text, hash: base64(await digest(text)) };
}

// verifier checks signatures where the browser can. The chain of hashes is held
// either way.
async function verifier(key) {
  let known;
  try {
    known = await crypto.subtle.importKey('raw', bytes(key), 'Ed25519', false, ['verify']);
  } catch (e) {
    if (e.name === 'NotSupportedError') return async () => {};
    throw new Problem('group');
  }
  return async (s) => {
    if (!await crypto.subtle.verify('Ed25519', known, bytes(s.signature), s.text)) throw new Problem('group');
  };
}

// follows tells whether b can come next after a. Within an epoch nobody goes.
const follows = (a, b) => b.number === a.number + 1 && b.previous === a.hash && b.created_at >= a.created_at
  && (b.epoch > a.epoch || b.epoch === a.epoch && b.size >= a.size);

// extend follows the published list from head to its end. It asks in steps of a
// thousand, from where everybody asks: an exact number would tell when this
// browser was here last.
async function extend(service, verify, head, now) {
  for (;;) {
    const from = head && Math.max(0, Math.floor((head.number + 1) / listed) * listed - 1);
    const { roots } = await get(head ? `roots?after=${from}` : 'roots');
    if (!Array.isArray(roots) || roots.length > listed) throw new Problem('group');
    let last;
    let met = !head || from === head.number; // the known head, or its successor
    for (const entry of roots) {
      const s = await snapshot(service, entry);
      if (last && s.number !== last.number + 1) throw new Problem('history');
      if (!head || s.number > head.number) {
        await verify(s);
        if (Date.parse(s.created_at) > now + day) throw new Problem('clock');
        if (last ? !follows(last, s) : head && !follows(head, s)) throw new Problem('history');
        met = true;
      } else if (s.number === head.number) {
        if (s.hash !== head.hash) throw new Problem('history');
        met = true;
      }
      last = s;
    }
    if (!met || last && head && last.number < head.number) throw new Problem('history');
    const before = head;
    head = last ?? head;
    if (roots.length < listed || head.number === before?.number) return head;
  }
}

// follow returns {head, pageRoots}: the group that the service shows now. pins
// are {service, epoch, key}; kept is the head that this browser knows, if any.
export async function follow(pins, kept, keep, now = Date.now()) {
  const verify = await verifier(pins.key);
  let head = kept;
  for (let round = 0; round < rounds; round++) {
    const group = await get('group');
    if (group.service_id !== pins.service || group.epoch_length !== pins.epoch || group.key !== pins.key) throw new Problem('changed');
    const shown = await snapshot(pins.service, group);
    await verify(shown);
    if (head && shown.number <= head.number) {
      if (shown.number < head.number || shown.hash !== head.hash) throw new Problem('history');
      const { page_roots: pageRoots } = group;
      if (!Array.isArray(pageRoots) || pageRoots.length !== Math.ceil(head.size / pageSize) || !pageRoots.every(isScalar)) throw new Problem('group');
      return { head, pageRoots };
    }
    head = await extend(pins.service, verify, head, now);
    if (head) await keep(head); // what was followed is kept, whatever comes of the rest
  }
  throw new Problem('history');
}

// find downloads all pages, whatever is in them, and returns the one that a
// commitment is on, and how many members there are.
export async function find({ head, pageRoots }, commitment, progress) {
  let place;
  let among = 0;
  for (const [page, root] of pageRoots.entries()) {
    const { members } = await get(`pages/${root}`);
    if (!Array.isArray(members) || members.length !== Math.min(head.size - page * pageSize, pageSize)) throw new Problem('group');
    among += members.filter((m) => m !== '0').length;
    if (members.includes(commitment)) place = { root: head.root, size: head.size, pageRoots, page, members, commitment };
    progress((page + 1) / pageRoots.length);
  }
  if (!place) throw new Problem('absent');
  return { place, among };
}
