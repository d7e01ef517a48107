// Times Semaphore's own prover on one thread, with the artifacts that are
// named: node bench.mjs CIRCUIT KEY TIMES. The tree is not counted.
import { readFileSync } from 'node:fs';
import { groth16 } from 'snarkjs';
import { hash } from './hash.mjs';

const [wasm, zkey, times] = process.argv.slice(2);
const [circuit, key] = [wasm, zkey].map((file) => new Uint8Array(readFileSync(file)));
const input = {
  secret: 5n,
  merkleProofLength: 10,
  merkleProofIndex: 500,
  merkleProofSiblings: Array.from({ length: 20 }, (_, i) => (i < 10 ? BigInt(i + 7) : 0n)),
  message: hash(9n),
  scope: hash(10n),
};
const answers = [];
for (let i = 0; i < Number(times); i++) {
  const began = performance.now();
  const before = process.cpuUsage();
  await groth16.fullProve(input, circuit, key, undefined, undefined, { singleThread: true });
  const { user, system } = process.cpuUsage(before);
  answers.push({ ms: performance.now() - began, cpu: (user + system) / 1000 });
}
console.log(JSON.stringify(answers));
process.exit(0);
