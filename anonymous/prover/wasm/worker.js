// The prover's web worker. It fetches the prover, the circuit and the key,
// runs the circuit by itself, and answers messages {id, call, ...}:
//
//   start       {prover, circuit, key}: URLs; integrity: the prover's, as in <script>
//   identity    a new {secret, commitment}
//   commitment  {secret}
//   prove       {statement: {secret, index, siblings, message, scope}}
//
// by {id, value} or {id, error}, and while proving by {id, progress}, from 0 to
// 1. Circuit and key are checked against the digests that the prover holds.
// It needs worker-src 'self' and 'wasm-unsafe-eval', and nothing else.
'use strict';

importScripts('wasm_exec.js');

let circuit;

const calls = {
  async start({ prover, circuit: circuitURL, key, integrity }) {
    const [program, code, keyFile] = await Promise.all([bytes(prover, integrity), bytes(circuitURL), bytes(key)]);
    const go = new Go();
    const { instance } = await WebAssembly.instantiate(program, go.importObject);
    go.run(instance); // ends with the worker
    unwrap(anonymousProver.load(code, keyFile));
    circuit = await WebAssembly.compile(code);
    return true;
  },
  identity: () => unwrap(anonymousProver.identity()),
  commitment: ({ secret }) => unwrap(anonymousProver.commitment(secret)),
  prove({ statement }, progress) {
    const witness = run(unwrap(anonymousProver.signals(statement)));
    progress(1 / (anonymousProver.steps + 1));
    return unwrap(anonymousProver.prove(statement, witness, (done) => progress((done + 1) / (anonymousProver.steps + 1))));
  },
};

function unwrap({ value, error }) {
  if (error !== undefined) throw new Error(error);
  return value;
}

// bytes fetches a file. Servers that know the file's encoding have it unpacked
// on the way; from others it comes as gzip.
async function bytes(url, integrity) {
  const response = await fetch(url, { credentials: 'omit', ...(integrity && { integrity }) });
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  const file = new Uint8Array(await response.arrayBuffer());
  if (file[0] !== 0x1f || file[1] !== 0x8b) return file;
  const unpacked = new Blob([file]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
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
