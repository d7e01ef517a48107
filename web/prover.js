// The prover, in a worker of its own: the page never waits for it.

import { Problem } from '/problems.js';

const files = '/api/auth/anonymous/artifacts/';

// start downloads the prover and returns {call, stop}, all without cookies. The
// worker checks their digests.
export async function start({ prover, circuit, provingKey, size }, progress) {
  const worker = new Worker('/worker.js', { type: 'module', credentials: 'omit' });
  const open = new Map();
  let last = 0;
  const fail = () => {
    for (const { reject } of open.values()) reject(new Problem('prover'));
    open.clear();
  };
  worker.onerror = fail;
  worker.onmessageerror = fail;
  worker.onmessage = ({ data: { id, value, error, progress: done } }) => {
    const { resolve, reject, tell } = open.get(id) ?? {};
    if (done !== undefined) return tell?.(done);
    open.delete(id);
    if (error === undefined) resolve?.(value); else reject?.(new Problem('prover'));
  };
  const call = (name, args, tell) => new Promise((resolve, reject) => {
    const id = ++last;
    open.set(id, { resolve, reject, tell });
    worker.postMessage({ id, call: name, ...args });
  });
  const stop = () => {
    worker.terminate(); // and with it all that it knew
    fail();
  };
  try {
    await call('start', { prover: files + prover, circuit: files + circuit, key: files + provingKey, digests: { prover, circuit, key: provingKey }, size }, progress);
  } catch {
    stop();
    throw new Problem('program');
  }
  return { call, stop };
}
