// A member who proves with Semaphore's own libraries and two files of artifacts.
import { Group } from '@semaphore-protocol/group';
import { Identity } from '@semaphore-protocol/identity';
import { generateProof } from '@semaphore-protocol/proof';

export function library({ circuit: wasm, key: zkey }) {
  const who = new Identity();
  return {
    commitment: `${who.commitment}`,
    prove: (members, { message, scope }) => generateProof(who, new Group(members.map(BigInt)), BigInt(message), BigInt(scope), 20, { wasm, zkey }),
  };
}
