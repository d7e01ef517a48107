// The one spelling of an Ethereum address (EIP-55). Wallets give it in lower
// case, and the service takes no other spelling than this.

/** Hashes fewer than 136 bytes, the sponge's one block (Keccak reference, section 1.1, with the padding from before FIPS 202). */
function keccak256(bytes: Uint8Array): Uint8Array {
  const block = new Uint8Array(200);
  block.set(bytes);
  block[bytes.length] = 1;
  block[135] = (block[135] ?? 0) ^ 0x80;
  const view = new DataView(block.buffer);
  const lanes = Array.from({ length: 25 }, (_, i) => view.getBigUint64(8 * i, true));
  permute(lanes);
  lanes.forEach((lane, i) => { view.setBigUint64(8 * i, lane, true); });
  return block.subarray(0, 32);
}

/** Keccak-f[1600]; lane x, y stands at x + 5y. */
function permute(a: bigint[]): void {
  const at = (i: number) => a[i] as bigint;
  const turn = (lane: bigint, n: number) => BigInt.asUintN(64, lane << BigInt(n)) | (lane >> BigInt(64 - n));
  let feedback = 1;
  for (let round = 0; round < 24; round++) {
    const parity = [0, 1, 2, 3, 4].map((x) => at(x) ^ at(x + 5) ^ at(x + 10) ^ at(x + 15) ^ at(x + 20));
    for (let i = 0; i < 25; i++) a[i] = at(i) ^ (parity[(i + 4) % 5] as bigint) ^ turn(parity[(i + 1) % 5] as bigint, 1); // θ
    let [x, y, moving] = [1, 0, at(1)];
    for (let t = 1; t <= 24; t++) { // ρ and π: each lane turns, and goes where the next one was
      [x, y] = [y, (2 * x + 3 * y) % 5];
      const next = at(x + 5 * y);
      a[x + 5 * y] = turn(moving, (t * (t + 1) / 2) % 64);
      moving = next;
    }
    for (let row = 0; row < 25; row += 5) { // χ
      const was = a.slice(row, row + 5) as [bigint, bigint, bigint, bigint, bigint];
      was.forEach((lane, i) => { a[row + i] = lane ^ (BigInt.asUintN(64, ~(was[(i + 1) % 5] as bigint)) & (was[(i + 2) % 5] as bigint)); });
    }
    for (let j = 0; j < 7; j++) { // ι: the round's constant out of an 8-bit feedback register
      if (feedback & 1) a[0] = at(0) ^ (1n << BigInt((1 << j) - 1));
      feedback = feedback & 0x80 ? (feedback << 1) ^ 0x171 : feedback << 1;
    }
  }
}

/** Spells an address, `0x` and 40 hex digits in any case: a letter is a capital where the hash of the lower-case digits has a high bit. */
export function checksum(address: string): string {
  const digits = address.slice(2).toLowerCase();
  const hash = keccak256(new TextEncoder().encode(digits));
  return '0x' + [...digits].map((d, i) => (((hash[i >> 1] ?? 0) >> (i % 2 ? 0 : 4)) & 8 ? d.toUpperCase() : d)).join('');
}
