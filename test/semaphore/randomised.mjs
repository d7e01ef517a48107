// Makes another proof of a proof, as anybody can who sees one: (rA, B/r, C).
import assert from 'node:assert/strict';
import { verifyProof } from '@semaphore-protocol/proof';
import { curves } from 'snarkjs';

export async function randomised(proof) {
  const { G1, G2, Fr } = await curves.getCurveFromName('bn128', { singleThread: true });
  const [ax, ay, bx1, bx0, by1, by0, cx, cy] = proof.points.map(BigInt);
  const r = Fr.random();
  const [x, y] = G1.toObject(G1.toAffine(G1.timesFr(G1.fromObject([ax, ay, 1n]), r)));
  const [u, v] = G2.toObject(G2.toAffine(G2.timesFr(G2.fromObject([[bx0, bx1], [by0, by1], [1n, 0n]]), Fr.inv(r))));
  const other = { ...proof, points: [x, y, u[1], u[0], v[1], v[0], cx, cy].map(String) };
  assert.ok(await verifyProof(other), 'it is a proof, too');
  return other;
}
