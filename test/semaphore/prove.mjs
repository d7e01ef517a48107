// Makes groups and proofs with Semaphore's libraries and the artifacts that
// are named: node prove.mjs CIRCUIT KEY. Writes them with what they hold.
import { Group } from '@semaphore-protocol/group';
import { Identity } from '@semaphore-protocol/identity';
import { generateProof } from '@semaphore-protocol/proof';

const [wasm, zkey] = process.argv.slice(2);
const answers = [];
for (const [size, at] of [[1, 0], [2, 1], [5, 4], [7, 2], [33, 32]]) {
  const members = Array.from({ length: size }, () => new Identity());
  const group = new Group(members.map((m) => m.commitment));
  const { index, siblings } = group.generateMerkleProof(at);
  const proof = await generateProof(members[at], group, BigInt(size) << 248n, 2n ** 256n - 1n - BigInt(at), 20, { wasm, zkey });
  answers.push({
    secret: `${members[at].secretScalar}`,
    commitment: `${members[at].commitment}`,
    index,
    siblings: siblings.map(String),
    proof,
  });
}
console.log(JSON.stringify(answers));
process.exit(0); // the library's threads stay
