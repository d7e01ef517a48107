// Semaphore's hash of messages and scopes.
import { keccak256, toBeHex } from 'ethers';

export const hash = (n) => (BigInt(keccak256(toBeHex(BigInt(n), 32))) >> 8n).toString();
