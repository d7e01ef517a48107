// Runs the specification's own client code, unchanged, against a server.
//
//   node contract.mjs SPECIFICATION SERVER [CONTROL]
//
// SERVER is the API's origin. CONTROL moves the server's clock: POST
// CONTROL/advance?ms=N. Time here is a fake that moves with it, so that twelve
// hours pass in a moment and the client's own timers fire when they should.
// Without CONTROL time is real, and the automatic refresh is shown with a token
// of a minute.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mock } from 'node:test';
import { Ed25519KeyIdentity } from '@icp-sdk/core/identity';

const [specification, server, control] = process.argv.slice(2);
const text = readFileSync(specification, 'utf8');

// The classes stand in ```javascript blocks of the specification.
function classText(name) {
  for (const [, block] of text.matchAll(/```javascript\n([\s\S]*?)```/g)) {
    if (block.startsWith(`class ${name} `)) return block;
  }
  throw new Error(`the specification has no class ${name}`);
}

function storage() {
  const map = new Map();
  return { getItem: (k) => map.get(k) ?? null, setItem: (k, v) => map.set(k, String(v)), removeItem: (k) => map.delete(k) };
}

const realSetTimeout = setTimeout;
const settle = () => new Promise((done) => realSetTimeout(done, 150)); // lets requests under way come back
if (control) {
  const start = Number((await (await fetch(`${control}/now`)).text()));
  mock.timers.enable({ apis: ['Date', 'setTimeout', 'setInterval'], now: start });
}

// advance moves both clocks; what the client's timers start is let finish.
async function advance(ms) {
  await fetch(`${control}/advance?ms=${ms}`, { method: 'POST' });
  mock.timers.tick(ms);
  await settle();
}

const minute = 60_000;
globalThis.localStorage = storage();
globalThis.document = { addEventListener() {} };
const answers = [];
globalThis.confirm = () => { answers.push(true); return true; };
const SessionManager = new Function(`${classText('SessionManager')}; return SessionManager;`)();

const identity = Ed25519KeyIdentity.generate();
const separator = new TextEncoder().encode('\x13ic-signer-challenge');
const b64 = (bytes) => Buffer.from(bytes).toString('base64url');

// The front end's ten lines: what a page does with an Internet Computer identity.
async function credential() {
  const res = await fetch(`${server}/api/auth/challenge`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ chain: 'icp', address: identity.getPrincipal().toText(), session_type: 'standard' }),
  });
  const { data } = await res.json();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(data.message)));
  const signature = await identity.sign(new Uint8Array([...separator, ...digest]));
  const publicKey = identity.getPublicKey().toDer();
  return b64(Buffer.from(JSON.stringify({ v: 1, type: 'icp:icrc32', message: data.message, signature: b64(signature), publicKey: b64(publicKey) })));
}

const manager = (config) => new SessionManager({ apiUrl: `${server}/api`, storage: storage(), ...config });
let told = 0;
function ok(what) { told++; console.log(`ok - ${what}`); }

{
  const m = manager();
  const created = await m.createSession({ signature: await credential() });
  assert.match(created.session_id, /^sess_/);
  assert.equal((await m.validateSession()).valid, true);
  ok('create, validate');

  const before = m.getStoredSession();
  const refreshed = await m.refreshSession();
  assert.notEqual(refreshed.refresh_token, before.refreshToken);
  assert.equal((await m.validateSession()).valid, true);
  ok('refresh');

  const token = m.getStoredSession().token;
  await m.logout();
  assert.deepEqual(await m.validateSession(), { valid: false, reason: 'no_token' });
  m.storage.setItem('mv_session_token', token);
  m.storage.setItem('mv_expires_at', new Date(Date.now() + minute).toISOString());
  assert.deepEqual(await m.validateSession(), { valid: false, reason: 'session_invalid' });
  ok('logout; validate after it gives session_invalid');
}

if (!control) {
  const m = manager({ refreshThreshold: 57 });
  await m.createSession({ signature: await credential(), duration: 60 });
  const before = m.getStoredSession();
  const end = Date.now() + 20_000;
  while (m.getStoredSession().token === before.token && Date.now() < end) await settle();
  assert.notEqual(m.getStoredSession().token, before.token, 'the automatic refresh did not come');
  assert.equal((await m.validateSession()).valid, true);
  ok('the automatic refresh, 57 s before the end');
  await m.logout();
} else {
  const m = manager();
  await m.createSession({ signature: await credential(), duration: 43200 });
  const before = m.getStoredSession();
  await advance(11 * 60 * minute + 54 * minute);
  assert.equal(m.getStoredSession().token, before.token, 'too early');
  await advance(minute + 1000); // 5 minutes before the end, without any call before
  assert.notEqual(m.getStoredSession().token, before.token, 'the automatic refresh did not come');
  const v = await m.validateSession();
  assert.equal(v.valid, true);
  ok('the automatic refresh at 11 h 55');
  await m.logout();
}

if (control) {
  const m = manager();
  await m.createSession({ signature: await credential() });
  const SessionMonitor = new Function(`${classText('SessionMonitor')}; return SessionMonitor;`)();
  new SessionMonitor(m);
  const before = m.getStoredSession();
  for (let i = 0; i < 31 && answers.length === 0; i++) await advance(minute);
  assert.equal(answers.length, 1, 'the monitor did not ask');
  assert.notEqual(m.getStoredSession().refreshToken, before.refreshToken, 'the extension did not work');
  assert.equal((await m.validateSession()).valid, true);
  ok("the monitor's extension at 31 minutes");
  await m.logout();
}

console.log(`${told} passed, 0 failed`);
process.exit(0);
