import { problem } from './problems.js';
import { bytesOf, isName, sha256 } from './values.js';

/**
 * What a service may never change for a device: whoever chose these anew could
 * choose scopes, and so know members again.
 */
export interface Pins {
  serviceId: string;
  /** Seconds. */
  epochLength: number;
  /** The Ed25519 key that signs the group, in unpadded base64url. */
  key: string;
}

const day = 86_400;
const longestEpoch = 100 * 365 * day;
const slack = 1000 * day; // ms between the service's clock and this one

/** What an answer says of its service. */
export function pinsOf(a: Record<string, unknown>): Pins {
  const { service_id: serviceId, epoch_length: epochLength, key } = a;
  if (!isName(serviceId) || !isWhole(epochLength, longestEpoch) || epochLength < day || bytesOf(key)?.length !== 32) throw problem('group_invalid');
  return { serviceId, epochLength, key: key as string };
}

/** Whether what was known before, all or a part, is still so. */
export const holds = (known: Partial<Pins>, now: Pins): boolean =>
  (['serviceId', 'epochLength', 'key'] as const).every((k) => known[k] === undefined || known[k] === now[k]);

/** A mark of all the pins, in 16 bytes, that an identity carries. */
export const markOf = async ({ serviceId, epochLength, key }: Pins): Promise<Uint8Array> =>
  (await sha256(new TextEncoder().encode(JSON.stringify([serviceId, epochLength, key])))).subarray(0, 16);

export const isWhole = (n: unknown, most: number): n is number => Number.isSafeInteger(n) && (n as number) >= 0 && (n as number) <= most;

/** Whether an epoch is now, or at most a day from it. */
export function isNear(epoch: unknown, { epochLength }: Pins, now = Date.now()): epoch is number {
  const length = epochLength * 1000;
  return isWhole(epoch, 2 ** 20) && now + slack >= epoch * length && now - slack < (epoch + 1) * length;
}

/** Whether a time is more than a day ahead of this clock. */
export const isAhead = (at: number): boolean => at > Date.now() + slack;
