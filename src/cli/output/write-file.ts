import { writeFile } from 'node:fs/promises';
import { TdctlError } from '../../errors/index.ts';

/**
 * Writes a file that a person named, over what was there.
 *
 * @param what names the content in errors, such as `the chart`
 * @throws TdctlError TDCTL_E_NOT_WRITABLE
 */
export async function writeNamedFile(
  path: string,
  { what, content }: { readonly what: string; readonly content: string | Buffer },
): Promise<void> {
  try {
    await writeFile(path, content);
  } catch (cause) {
    throw new TdctlError({
      code: 'TDCTL_E_NOT_WRITABLE',
      op: `write ${what}`,
      place: path,
      message: `${what} cannot be written there`,
      hint: 'name a file in a directory that exists and that you may write to',
      cause,
    });
  }
}
