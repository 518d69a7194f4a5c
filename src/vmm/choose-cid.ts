/** A context ID for a TD whose file says `vsock: auto`. */
import { createHash } from 'node:crypto';

/** Small numbers are what people write into files. */
const first = 0x1_0000;
const count = 0x7fff_0000;

/** The same name gets the same number again, unless somebody else has it: then one after it. */
export function chooseCid(name: string, taken: ReadonlySet<number>): number {
  const start = createHash('sha256').update(name).digest().readUInt32BE(0) % count;
  for (let step = 0; step < count; step++) {
    const cid = first + ((start + step) % count);
    if (!taken.has(cid)) return cid;
  }
  throw new Error('two thousand million context IDs cannot all be taken');
}
