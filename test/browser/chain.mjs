// A service's list of snapshots, as long as wanted, signed with a key of its own;
// another past is another list under the same key.
import { createHash, generateKeyPairSync, sign } from 'node:crypto';

const fixed = (n, length) => Buffer.from(BigInt(n).toString(16).padStart(2 * length, '0'), 'hex');
const start = Date.UTC(2026, 10, 20) / 1000;

export function chain(service, length, { keys = generateKeyPairSync('ed25519'), past = 5 } = {}) {
  const list = [];
  let before = Buffer.alloc(32);
  for (let number = 0; number < length; number++) {
    const s = { number, root: String(number + past), size: number + 1, epoch: 600, created_at: new Date((start + number * 300) * 1000).toISOString().replace('.000', ''), previous: before.toString('base64url') };
    const text = Buffer.concat([
      Buffer.from('mentalverse:snapshot:'), fixed(service.length, 2), Buffer.from(service), fixed(number, 8), fixed(s.root, 32),
      fixed(s.size, 4), fixed(s.epoch, 8), fixed(start + number * 300, 8), before,
    ]);
    before = createHash('sha256').update(text).digest();
    list.push({ ...s, signature: sign(null, text, keys.privateKey).toString('base64url') });
  }
  return { keys, key: keys.publicKey.export({ format: 'jwk' }).x, list };
}
