import { writeFile } from 'node:fs/promises';
import { errnoOf } from '../errors/errno.ts';
import { TdctlError } from '../errors/index.ts';

/**
 * Writes a file, and never over one that is there.
 *
 * @param what what the text is, in a word: `plan`.
 * @throws TdctlError TDCTL_E_EXISTS, TDCTL_E_NOT_WRITABLE.
 */
export async function writeNewFile(
  file: string,
  { text, op, what }: { readonly text: string; readonly op: string; readonly what: string },
): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (cause) {
    const exists = errnoOf(cause) === 'EEXIST';
    throw new TdctlError({
      code: exists ? 'TDCTL_E_EXISTS' : 'TDCTL_E_NOT_WRITABLE',
      op,
      place: file,
      message: exists ? 'there is a file of that name already' : `the ${what} could not be written`,
      hint: 'choose another name',
      cause: exists ? undefined : cause,
    });
  }
}
