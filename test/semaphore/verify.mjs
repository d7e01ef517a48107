// Verifies the proofs of a JSON array on its input by Semaphore's library and,
// with the key file that is named, by snarkjs; writes an array of both answers.
import { readFileSync } from 'node:fs';
import { verifyProof } from '@semaphore-protocol/proof';
import * as snarkjs from 'snarkjs';
import { hash } from './hash.mjs';

const key = JSON.parse(readFileSync(process.argv[2]));

async function bySnarkjs({ merkleTreeRoot, nullifier, message, scope, points: p }) {
  const proof = {
    pi_a: [p[0], p[1], '1'],
    pi_b: [[p[3], p[2]], [p[5], p[4]], ['1', '0']],
    pi_c: [p[6], p[7], '1'],
    protocol: 'groth16',
    curve: 'bn128',
  };
  return snarkjs.groth16.verify(key, [merkleTreeRoot, nullifier, hash(message), hash(scope)], proof);
}

const answers = [];
for (const proof of JSON.parse(readFileSync(0))) {
  answers.push({ semaphore: await verifyProof(proof), snarkjs: await bySnarkjs(proof) });
}
console.log(JSON.stringify(answers));
process.exit(0); // the library's threads stay
