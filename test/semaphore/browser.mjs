// A member who proves with the prover for browsers, in a worker of Node's. Its
// artifacts are the server's.
import { Worker } from 'node:worker_threads';

export async function browser({ server, scripts, digests: { prover, circuit, key } }) {
  const worker = new Worker(new URL('./worker.cjs', import.meta.url), { workerData: { scripts } });
  let last = 0;
  const call = (message) => new Promise((resolve, reject) => {
    const id = ++last;
    worker.on('message', function take({ id: of, progress, value, error }) {
      if (of !== id || progress !== undefined) return;
      worker.off('message', take);
      if (error === undefined) resolve(value); else reject(new Error(error));
    });
    worker.postMessage({ id, ...message });
  });
  const at = (digest) => `${server}/api/auth/anonymous/artifacts/${digest}`;
  await call({ call: 'start', prover: at(prover), circuit: at(circuit), key: at(key), integrity: `sha256-${Buffer.from(prover, 'hex').toString('base64')}` });
  const { secret, commitment } = await call({ call: 'identity' });
  return {
    commitment,
    async prove(members, { message, scope }, group) {
      const path = group ? await call({ call: 'path', place: { root: group.root, size: group.size, pageRoots: group.page_roots, page: 0, members, commitment } }) : { index: 0, siblings: [] };
      return call({ call: 'prove', statement: { secret, ...path, message, scope } });
    },
  };
}
