// The prover's web worker. It fetches the prover, the circuit and the key,
// runs the circuit by itself, and answers messages {id, call, ...}:
//
//   start       {prover, circuit, key}: URLs; digests: theirs, SHA-256 in hex,
//               by the same names; size: of the three unpacked, in bytes
//   identity    a new {secret, commitment}
//   commitment  {secret}
//   path        {place: {root, size, pageRoots, page, members, commitment}}
//   prove       {statement: {secret, index, siblings, message, scope}}
//
// by {id, value} or {id, error}, and meanwhile by {id, progress}, from 0 to 1: of
// the download, if its size is told, and of a proof. Circuit and key are checked against the digests that the prover holds.
// It needs worker-src 'self' and 'wasm-unsafe-eval', and nothing else.
//
// It is a module so that a page can load it without cookies, which no other
// worker can be: new Worker(url, { type: 'module', credentials: 'omit' }).

import './wasm_exec.js';

const longest = 16 << 20; // bytes of a file

let circuit;

const calls = {
  async start({ digests = {}, size, ...urls }, progress) {
    let have = 0;
    const got = (n) => { if (size) progress(Math.min(1, (have += n) / size)); };
    const [program, code, keyFile] = await Promise.all(['prover', 'circuit', 'key'].map((name) => pinned(urls[name], digests[name], got)));
    const go = new Go();
    const { instance } = await WebAssembly.instantiate(program, go.importObject);
    go.run(instance); // ends with the worker
    unwrap(prover.load(code, keyFile));
    circuit = await WebAssembly.compile(code);
    return true;
  },
  identity: () => unwrap(prover.identity()),
  commitment: ({ secret }) => unwrap(prover.commitment(secret)),
  path: ({ place }) => unwrap(prover.path(place)),
  prove({ statement }, progress) {
    const witness = run(unwrap(prover.signals(statement)));
    progress(1 / (prover.steps + 1));
    return unwrap(prover.prove(statement, witness, (done) => progress((done + 1) / (prover.steps + 1))));
  },
};

function unwrap({ value, error }) {
  if (error !== undefined) throw new Error(error);
  return value;
}

// pinned fetches a file of a digest, from the cache if it is there.
async function pinned(url, digest, got) {
  for (const cache of ['force-cache', 'reload']) {
    const file = await bytes(url, cache, got);
    if (!digest || hex(await crypto.subtle.digest('SHA-256', file)) === digest) return file;
  }
  throw new Error(`${url} is not what is pinned`);
}

// bytes fetches a file. Servers that know the file's encoding have it unpacked
// on the way; from others it comes as gzip. A cache is asked for the file or
// passed over: a question whether it is still good would carry what the server
// once called it, and a redirect that is kept would lead to an address of the
// server's choice. Both can be another for each browser, as a cookie is.
async function bytes(url, cache, got) {
  const response = await fetch(url, { credentials: 'omit', cache, redirect: 'error' });
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  const file = await all(response.body, got);
  return file[0] === 0x1f && file[1] === 0x8b ? all(new Blob([file]).stream().pipeThrough(new DecompressionStream('gzip'))) : file;
}

const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, '0')).join('');

// all reads a stream to its end, if that is not too far away: who sends a file
// is not who pinned it.
async function all(stream, got) {
  let have = 0;
  const counted = new TransformStream({
    transform(chunk, out) {
      if ((have += chunk.length) > longest) throw new Error('prover: a file is too long');
      got?.(chunk.length);
      out.enqueue(chunk);
    },
  });
  return new Uint8Array(await new Response(stream.pipeThrough(counted)).arrayBuffer());
}

// run computes the witness in a fresh instance of the circuit. What circuits
// print may contain the secret, so it is dropped.
function run(signals) {
  const nothing = () => {};
  const { exports: c } = new WebAssembly.Instance(circuit, {
    runtime: {
      exceptionHandler(code) {
        throw new Error(code === 4 ? 'prover: the circuit refuses the statement' : `prover: exception ${code} in the circuit`);
      },
      printErrorMessage: nothing,
      writeBufferMessage: nothing,
      showSharedRWMemory: nothing,
    },
  });
  c.init(1);
  for (let at = 0; at < signals.length; at += 11) {
    const [high, low, place, ...words] = signals.subarray(at, at + 11);
    words.forEach((word, i) => c.writeSharedRWMemory(i, word));
    c.setInputSignal(high, low, place);
  }
  const wires = c.getWitnessSize();
  const witness = new Uint8Array(32 * wires);
  const shared = c.getSharedRWMemoryStart();
  for (let wire = 0; wire < wires; wire++) {
    c.getWitness(wire);
    witness.set(new Uint8Array(c.memory.buffer, shared, 32), 32 * wire);
  }
  return witness;
}

self.onmessage = async ({ data: { id, call, ...args } }) => {
  try {
    if (!Object.hasOwn(calls, call)) throw new Error(`prover: no call ${call}`);
    const value = await calls[call](args, (progress) => self.postMessage({ id, progress }));
    self.postMessage({ id, value });
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
};
