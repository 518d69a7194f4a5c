import type { UserBytes } from '../../interface.ts';
import { CopiedIn } from '../checks.ts';

/**
 * A struct counts as it is when the check that copies it is made, whatever becomes of it afterwards.
 */
export function copiedBytes(user: UserBytes, length: number, offset = 0): CopiedIn<DataView> {
  return new CopiedIn(() => {
    const bytes = user.read(length, offset);
    return bytes && new DataView(Uint8Array.from(bytes).buffer);
  });
}
