// Private sign-in: a proof that the person is one of the members, and not which.
// It is set up by somebody who is signed in, and used by nobody in particular:
// docs/decisions/2026-11-25-private-page.md tells why the two stay apart.

import { follow, find } from '/group.js';
import { load, save } from '/kept.js';
import { read, write } from '/key.js';
import { Problem, byProof } from '/problems.js';
import { start } from '/prover.js';
import { base64, enrolScope, message, scope } from '/values.js';

const show = (id) => document.getElementById(id);
const day = 24 * 3600_000;

const { service, epoch, key, prover, circuit, proving: provingKey, size } = document.querySelector('main').dataset;
const pins = { service, epoch: Number(epoch), key };
const program = { prover, circuit, provingKey, size: Number(size) };

// --- progress ---

// Each stage ends at its part of a hundred. What is read out is the stage alone.
const stages = {
  load: ['Loading what makes the proof…', 40],
  group: ['Getting the list of members…', 55],
  place: ['Checking the list…', 65],
  prove: ['Making the proof…', 95],
  send: ['Signing in…', 100],
};

function stage(name) {
  const [text, end] = stages[name];
  const names = Object.keys(stages);
  const began = stages[names[names.indexOf(name) - 1]]?.[1] ?? 0;
  const tell = (part) => {
    show('done').value = Math.round(began + part * (end - began));
    show('percent').textContent = `${show('done').value} %`;
  };
  show('work').hidden = false;
  show('stage').textContent = text;
  tell(0);
  return tell;
}

const rest = () => { show('work').hidden = true; show('stage').textContent = ''; };

// --- what is proven ---

// known holds what was seen of the service before against what the page says.
async function known() {
  const seen = await load();
  if (seen && (seen.service !== pins.service || seen.epoch !== pins.epoch || seen.key !== pins.key)) throw new Problem('changed');
  return seen;
}

// check refuses a challenge whose numbers are not the ones computed here.
async function check(c, purpose) {
  const [own, ownMessage] = await Promise.all([
    purpose === 'enrol' ? enrolScope(service, c.nonce) : scope(service, c.epoch), message(service, c.nonce),
  ]).catch(() => { throw new Problem('asks'); });
  if (c.scope !== own || c.message !== ownMessage) throw new Problem('asks');
}

function near(n, now = Date.now()) {
  const length = pins.epoch * 1000;
  return Number.isSafeInteger(n) && n >= 0 && now + day >= n * length && now - day < (n + 1) * length;
}

// --- setting it up, as the person who is signed in ---

function setUp({ call, act }) {
  let made; // {worker, secret, commitment} until it is kept and enrolled

  const forget = () => {
    made?.worker.stop();
    made = undefined;
    show('made').value = '';
    show('keep').hidden = true;
    rest();
  };
  const guarded = (work) => async () => {
    try {
      await work();
    } catch (e) {
      throw byProof(e);
    } finally {
      rest();
    }
  };

  show('setup').onclick = act(show('setup'), guarded(async () => {
    forget();
    show('membership').textContent = '';
    await known();
    const worker = await start(program, stage('load'));
    try {
      made = { worker, ...await worker.call('identity') };
    } catch (e) {
      worker.stop();
      throw e;
    }
    show('made').value = await write(made.secret, pins);
    show('keep').hidden = false;
    show('made').focus();
    show('made').select();
  }));
  show('copy').onclick = async () => {
    show('made').select();
    try {
      await navigator.clipboard.writeText(show('made').value);
      show('copied').textContent = 'Copied.';
    } catch {
      show('copied').textContent = 'It is selected: copy it by hand.';
    }
  };
  show('kept').onclick = act(show('kept'), guarded(async () => {
    if (!made) return;
    const { worker, secret, commitment } = made;
    const c = await call('POST', '/challenge', { session_type: 'anonymous', purpose: 'enrol' });
    await check(c, 'enrol');
    const proof = await worker.call('prove', { statement: { secret, index: 0, siblings: [], message: c.message, scope: c.scope } }, stage('prove'));
    stage('send');
    const { status } = await call('POST', '/anonymous/members', { commitment, challenge: c.nonce, proof });
    await save({ ...await known(), ...pins });
    forget();
    show('copied').textContent = '';
    tell(status);
  }));
  show('leave').onclick = act(show('leave'), guarded(async () => {
    tell((await call('DELETE', '/anonymous/members')).status);
  }));
  addEventListener('pagehide', forget);
}

function tell(status) {
  const turn = new Date((Math.floor(Date.now() / 1000 / pins.epoch) + 1) * pins.epoch * 1000).toLocaleDateString(undefined, { dateStyle: 'long' });
  show('membership').textContent = {
    waiting: 'It is set up, and becomes usable together with those of others, after some hours at the latest.',
    member: 'It is set up, and your key can be used.',
    replacing: `Your new key takes the place of the earlier one on ${turn}. Until then the earlier one is good.`,
    leaving: `Your key stops being good on ${turn}.`,
    none: 'No key is set up.',
  }[status] ?? '';
}

// --- using it, as nobody in particular ---

// nobody calls without cookies, and with the private session's own token if it
// has one.
async function nobody(method, path, body, bearer, more) {
  const res = await fetch(`/api/auth${path}`, {
    method,
    credentials: 'omit',
    cache: 'no-store',
    headers: { ...(body && { 'Content-Type': 'application/json' }), ...(bearer && { Authorization: `Bearer ${bearer}` }) },
    body: body && JSON.stringify(body),
    ...more,
  });
  const answer = await res.json();
  if (!answer.success) throw Object.assign(new Error(answer.error.code), { status: res.status, code: answer.error.code });
  return answer.data;
}

async function signIn(text) {
  const secret = await read(text, pins);
  const seen = await known();
  const starting = start(program, stage('load'));
  try {
    const group = await follow(pins, seen?.head, (head) => save({ ...pins, head }));
    const worker = await starting;
    const commitment = await worker.call('commitment', { secret });
    const { place, among } = await find(group, commitment, stage('group'));
    stage('place');
    const path = await worker.call('path', { place });
    const c = await nobody('POST', '/challenge', { session_type: 'anonymous' });
    if (!near(c.epoch)) throw new Problem('asks');
    await check(c, 'signin');
    if (c.epoch !== group.head.epoch) throw new Problem('turn');
    const proof = await worker.call('prove', { statement: { secret, ...path, message: c.message, scope: c.scope } }, stage('prove'));
    stage('send');
    const credential = base64(new TextEncoder().encode(JSON.stringify({ v: 1, type: 'semaphore:v4', challenge: c.nonce, proof })));
    const tokens = await nobody('POST', '/sessions', { session_type: 'anonymous', activity: 'reported' }, credential);
    return { tokens, among };
  } finally {
    starting.then((worker) => worker.stop(), () => {});
  }
}

// live is the private session: in this page's memory, and gone with it. Nothing
// is asked by cookie when it is over: that would tell whose it was.
function live({ when }, { tokens, among }) {
  let { session_token: bearer, refresh_token: refresh } = tokens;
  const ends = (of) => {
    show('quiet-until').textContent = when(of.session_expires_at);
    show('quiet-idle').textContent = when(of.idle_expires_at);
  };
  const over = () => {
    if (!bearer) return;
    bearer = refresh = '';
    show('quiet').hidden = true;
    show('out').hidden = false;
    show('title').focus();
  };
  const gone = (e) => e.status === 401;

  async function renew() {
    if (!bearer) return;
    try {
      const next = await nobody('POST', '/sessions/refresh', { refresh_token: refresh });
      ({ session_token: bearer, refresh_token: refresh } = next);
      ends(next);
      later(next);
    } catch (e) {
      if (gone(e)) over(); else setTimeout(renew, 5000 + Math.random() * 5000);
    }
  }
  const later = ({ refresh_at: at, session_expires_at: end }) => {
    const wait = Math.max(0, Date.parse(at ?? end) - Date.now());
    setTimeout(at ? renew : over, Math.min(wait, 2 ** 31 - 1));
  };

  let told = Date.now();
  for (const kind of ['pointerdown', 'keydown', 'scroll']) {
    addEventListener(kind, () => {
      if (!bearer || Date.now() - told < 60_000) return;
      told = Date.now();
      nobody('POST', '/sessions/activity', {}, bearer).then(ends, (e) => { if (gone(e)) over(); });
    }, { passive: true });
  }
  addEventListener('pagehide', () => {
    show('quiet').hidden = true;
    if (bearer) nobody('POST', '/sessions/logout', {}, bearer, { keepalive: true }).catch(() => {});
    bearer = '';
  });
  const end = show('quiet-end');
  end.onclick = async () => {
    if (end.ariaDisabled) return;
    end.ariaDisabled = 'true';
    try {
      await nobody('POST', '/sessions/logout', {}, bearer);
      over();
    } catch (e) {
      if (gone(e)) over(); else show('problem').textContent = byProof(e).message;
    } finally {
      end.ariaDisabled = null;
    }
  };
  ends(tokens);
  later(tokens);
  show('among').textContent = among.toLocaleString();
  show('out').hidden = true;
  show('quiet').hidden = false;
  show('title').focus();
}

// offer makes the page's buttons work. From the moment that it calls apart the
// page sends nothing that has cookies, until a person signs in under a name.
export function offer(page) {
  setUp(page);
  show('enter').onclick = page.act(show('enter'), async () => {
    page.apart();
    try {
      const opened = await signIn(show('key').value);
      show('key').value = '';
      live(page, opened);
    } catch (e) {
      throw byProof(e);
    } finally {
      rest();
    }
  });
}
