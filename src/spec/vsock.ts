/** `spec.vsock`: the context ID of the guest. */
import { type Parsed, parsed, refused } from '../documents/parsed.ts';
import { describeValue } from '../documents/wording.ts';

/** 0 is the hypervisor, 1 the local loopback, 2 the host (vsock(7)). */
export const smallestCid = 3;
/** VMADDR_CID_ANY is 0xffffffff. */
export const largestCid = 0xfffffffe;

export function parseVsock(value: unknown): Parsed<number | 'auto'> {
  if (value === 'auto') return parsed(value);
  const wanted = `must be auto, or a number from ${smallestCid} to ${largestCid}`;
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    return refused(`${wanted}; this is ${describeValue(value)}`);
  }
  const cid = Number(value);
  if (!Number.isInteger(cid) || cid < smallestCid || cid > largestCid) {
    const why = cid >= 0 && cid < smallestCid ? '; 0 to 2 are the host itself' : '';
    return refused(`${wanted}; this is ${value}${why}`);
  }
  return parsed(cid);
}
