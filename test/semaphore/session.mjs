// The whole of anonymous sign-in against a running server, with values of this
// script's own:
//
//   node session.mjs
//
// reads {server, service, token, turn, prover, ...} from its input: the API's
// origin, the service's id, the token of a standard session, a URL whose POST
// moves the server into the next epoch. prover is "library", Semaphore's own,
// with the files circuit and key, or "browser", the one for browsers, with its
// scripts in a folder and its artifacts, by their digests, from the server.
// Writes what it has shown, as a JSON array.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { browser } from './browser.mjs';
import { library } from './library.mjs';
import { randomised } from './randomised.mjs';

const { server, service, token, turn, ...input } = JSON.parse(readFileSync(0));
const prover = await { library, browser }[input.prover]({ server, ...input });
const shown = [];

async function call(method, path, { bearer, body, status = 200 } = {}) {
  const res = await fetch(`${server}/api/auth${path}`, {
    method,
    headers: { ...(body && { 'Content-Type': 'application/json' }), ...(bearer && { Authorization: `Bearer ${bearer}` }) },
    body: body && JSON.stringify(body),
  });
  const answer = await res.json();
  assert.equal(res.status, status, `${method} ${path}: ${answer.error?.message}`);
  return answer.data ?? answer.error;
}

// --- the values (docs/decisions/2026-11-25-anonymous-values.md) ---

const name = (s) => Buffer.concat([Buffer.from([s.length >> 8, s.length & 255]), Buffer.from(s)]);
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(n)); return b; };
const value = (tag, ...parts) => BigInt(`0x${createHash('sha256').update(Buffer.concat([Buffer.from(tag), name(service), ...parts])).digest('hex')}`);

const message = (nonce) => value('mentalverse:session:', name(nonce));
const scopes = { enrol: ({ nonce }) => value('mentalverse:enrol:', name(nonce)), signin: ({ epoch }) => value('mentalverse:anonymous:', u64(epoch)) };

async function challenge(purpose, bearer) {
  const c = await call('POST', '/challenge', { bearer, body: { session_type: 'anonymous', purpose } });
  assert.equal(c.message, String(message(c.nonce)));
  assert.equal(c.scope, String(scopes[purpose](c)));
  return c;
}

// --- the ceremonies ---

async function enrol() {
  const c = await challenge('enrol', token);
  const proof = await prover.prove([prover.commitment], c);
  const { status } = await call('POST', '/anonymous/members', { bearer: token, body: { commitment: prover.commitment, challenge: c.nonce, proof } });
  assert.equal(status, 'member');
}

// prove answers a challenge over the whole group as it is now.
async function prove(c) {
  const group = await call('GET', '/anonymous/group');
  const members = [];
  for (const root of group.page_roots) members.push(...(await call('GET', `/anonymous/pages/${root}`)).members);
  assert.equal(members.length, group.size);
  const proof = await prover.prove(members, c, group);
  assert.equal(proof.merkleTreeRoot, group.root);
  return proof;
}

const present = ({ nonce }, proof, status) => call('POST', '/sessions', {
  status, body: { session_type: 'anonymous' },
  bearer: Buffer.from(JSON.stringify({ v: 1, type: 'semaphore:v4', challenge: nonce, proof })).toString('base64url'),
});

async function pseudonym({ session_token: bearer }) {
  const { valid, anonymous_id, session_type, user_id } = await call('GET', '/sessions/validate', { bearer });
  assert.deepEqual([valid, session_type, user_id], [true, 'anonymous', undefined]);
  return anonymous_id;
}

await enrol();
shown.push('enrolled');

const first = await challenge('signin');
const proof = await prove(first);
const who = await pseudonym(await present(first, proof, 201));
shown.push('signed in');

const second = await challenge('signin');
assert.equal(await pseudonym(await present(second, await prove(second), 201)), who);
shown.push('the same pseudonym again');

assert.equal((await present(first, proof, 401)).code, 'challenge_invalid');
shown.push('a replay is refused');

const other = await randomised(proof);
assert.notDeepEqual(other.points, proof.points);
assert.equal((await present(first, other, 401)).code, 'challenge_invalid');
assert.equal((await present(await challenge('signin'), other, 401)).code, 'credential_invalid');
shown.push('so is the proof made another one, for its own challenge and for a fresh one');

const old = await challenge('signin');
const late = await prove(old);
assert.equal((await fetch(turn, { method: 'POST' })).status, 200);
assert.equal((await present(old, late, 401)).code, 'challenge_invalid');
const third = await challenge('signin');
assert.notEqual(third.epoch, first.epoch);
assert.notEqual(await pseudonym(await present(third, await prove(third), 201)), who);
shown.push('another pseudonym in the next epoch');

console.log(JSON.stringify(shown));
process.exit(0); // the library's threads stay
