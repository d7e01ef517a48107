// Signs in with a wallet, and lives in cookies that no script can read.

import { follow, unfollow } from '/events.js';
import { Problem, byService, byWallet } from '/problems.js';
import { base64url, find } from '/wallets.js';

const api = '/api/auth';
const show = (id) => document.getElementById(id);
const say = (text) => { show('status').textContent = text; };
let proof = ''; // the session's csrf_token: in memory only
let apart = false; // private sign-in was used: nothing is sent that has cookies

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

// --- signing in ---

const chains = { ethereum: 'Ethereum', solana: 'Solana' };
const patience = 5 * 60_000; // as long as a text may be answered

let asking = 0; // questions that wallets have not answered yet
let attempt = 0; // of two sign-ins at once the later counts

// ask waits for a wallet, but not for ever: some never answer when their window
// is closed.
async function ask(answer) {
  let timer;
  asking++;
  say('Your wallet asks you now…');
  try {
    return await Promise.race([answer, new Promise((_, late) => { timer = setTimeout(() => late(new Problem('late')), patience); })]);
  } catch (e) {
    throw byWallet(e);
  } finally {
    clearTimeout(timer);
    if (--asking === 0) say('');
  }
}

async function signIn(wallet) {
  apart = false;
  const mine = ++attempt;
  const account = await ask(wallet.connect());
  try {
    const { message } = await call('POST', '/challenge', { chain: wallet.chain, address: account.address, session_type: 'standard' });
    const signed = await ask(account.sign(message));
    if (mine !== attempt) return;
    const credential = JSON.stringify({ v: 1, message, ...signed });
    const made = await call('POST', '/sessions', { transport: 'cookie', activity: 'reported', device_label: label() },
      { Authorization: `Bearer ${base64url(new TextEncoder().encode(credential))}` });
    proof = made.csrf_token;
  } catch (e) {
    throw e instanceof Problem ? e : byService(e, wallet.chain);
  }
}

// label is coarse on purpose: it is all that is kept about the device.
function label() {
  const agent = navigator.userAgent;
  const browser = /Firefox\//.test(agent) ? 'Firefox' : /Edg\//.test(agent) ? 'Edge' : /Chrome\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : 'Browser';
  const system = /Android/.test(agent) ? 'Android' : /iPhone|iPad/.test(agent) ? 'iOS' : /Windows/.test(agent) ? 'Windows' : /Mac OS X/.test(agent) ? 'macOS' : /Linux/.test(agent) ? 'Linux' : '';
  return system ? `${browser} on ${system}` : browser;
}

// --- what the page shows ---

const when = (text) => new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

async function look() {
  if (apart) return;
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
  if (apart) return;
  if (unknown) {
    say('The service cannot be reached right now. Trying again…');
    setTimeout(look, 3000 + Math.random() * 2000);
    return;
  }
  if (current) follow(look);
  else unfollow();
  const moved = !show(current ? 'out' : 'in').hidden;
  show('in').hidden = !current;
  show('out').hidden = !!current;
  if (!asking) say('');
  if (moved) show('title').focus(); // what had the focus is hidden now
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
    if (button.ariaDisabled) return; // not disabled: it would lose the focus
    button.ariaDisabled = 'true';
    show('problem').textContent = '';
    try {
      await work();
      await look();
    } catch (e) {
      show('problem').textContent = e.message;
    } finally {
      button.ariaDisabled = null;
    }
  };
}

// --- the wallets to choose from ---

function choice(wallet) {
  const button = document.createElement('button');
  button.type = 'button';
  for (const [text, kind] of [[wallet.name, 'name'], [chains[wallet.chain], 'chain']]) {
    const span = document.createElement('span');
    span.className = kind;
    span.textContent = text;
    button.append(span, ' ');
  }
  button.onclick = act(button, () => signIn(wallet));
  const li = document.createElement('li');
  li.append(button);
  return li;
}

// A wallet keeps its button while others come and go: it may have the focus.
const choices = new Map();

find((wallets) => {
  const list = show('wallets');
  for (const [wallet, li] of choices) {
    if (wallets.includes(wallet)) continue;
    li.remove();
    choices.delete(wallet);
  }
  for (const wallet of wallets) {
    if (choices.has(wallet)) continue;
    choices.set(wallet, choice(wallet));
    list.append(choices.get(wallet));
  }
  show('none').hidden = wallets.length > 0;
});

const own = show('device'); // on a development server only
if (own) own.onclick = act(own, async () => signIn((await import('/device.js')).device));

if (document.querySelector('main').dataset.service) { // a server with private sign-in
  import('/private.js').then(({ offer }) => offer({ call, act, when, apart: () => { apart = true; unfollow(); } }));
}

show('others').onclick = act(show('others'), () => call('DELETE', '/sessions'));
show('logout').onclick = act(show('logout'), async () => {
  show('in').hidden = true; // gone from the screen before the network answers
  show('title').focus();
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
addEventListener('pagehide', () => { show('in').hidden = true; unfollow(); });

document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });

look();
