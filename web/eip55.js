// The one spelling of an Ethereum address (EIP-55). Wallets give it in lower
// case, and the service takes no other spelling than this.

// keccak256 hashes fewer than 136 bytes, the sponge's one block (Keccak
// reference, section 1.1, with the padding from before FIPS 202).
function keccak256(bytes) {
  const block = new Uint8Array(200);
  block.set(bytes);
  block[bytes.length] ^= 0x01;
  block[135] ^= 0x80;
  const view = new DataView(block.buffer);
  const lanes = new BigUint64Array(25);
  for (let i = 0; i < 25; i++) lanes[i] = view.getBigUint64(8 * i, true);
  permute(lanes);
  for (let i = 0; i < 4; i++) view.setBigUint64(8 * i, lanes[i], true);
  return block.slice(0, 32);
}

// permute is Keccak-f[1600]; lane x, y stands at x + 5y, and the array keeps
// each to 64 bits.
function permute(a) {
  const turn = (lane, n) => BigInt.asUintN(64, lane << BigInt(n)) | (lane >> BigInt(64 - n));
  let feedback = 1;
  for (let round = 0; round < 24; round++) {
    const parity = [0, 1, 2, 3, 4].map((x) => a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
    for (let i = 0; i < 25; i++) a[i] ^= parity[(i + 4) % 5] ^ turn(parity[(i + 1) % 5], 1); // θ
    let x = 1, y = 0, moving = a[1];
    for (let t = 1; t <= 24; t++) { // ρ and π: each lane turns, and goes where the next one was
      [x, y] = [y, (2 * x + 3 * y) % 5];
      const next = a[x + 5 * y];
      a[x + 5 * y] = turn(moving, (t * (t + 1) / 2) % 64);
      moving = next;
    }
    for (let row = 0; row < 25; row += 5) { // χ
      const was = a.slice(row, row + 5);
      for (let i = 0; i < 5; i++) a[row + i] = was[i] ^ (~was[(i + 1) % 5] & was[(i + 2) % 5]);
    }
    for (let j = 0; j < 7; j++) { // ι: the round's constant out of an 8-bit feedback register
      if (feedback & 1) a[0] ^= 1n << BigInt((1 << j) - 1);
      feedback = feedback & 0x80 ? (feedback << 1) ^ 0x171 : feedback << 1;
    }
  }
}

// checksum spells an address: a letter is a capital where the hash of the
// lower-case digits has a high bit.
export function checksum(address) {
  const digits = String(address).slice(2).toLowerCase();
  const hash = keccak256(new TextEncoder().encode(digits));
  return '0x' + [...digits].map((d, i) => ((hash[i >> 1] >> (i % 2 ? 0 : 4)) & 8 ? d.toUpperCase() : d)).join('');
}
