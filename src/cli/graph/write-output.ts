import { writeFile } from 'node:fs/promises';
import { TdctlError } from '../../errors/index.ts';
import type { CommandIo } from '../io.ts';

/** Writes to the file, over what was there, or to standard output where none is named. */
export async function writeOutput(
  content: string | Buffer,
  { path, io }: { readonly path: string | undefined; readonly io: CommandIo },
): Promise<void> {
  if (path === undefined) {
    io.stdout.write(content.toString());
    return;
  }
  try {
    await writeFile(path, content);
  } catch (cause) {
    throw new TdctlError({
      code: 'TDCTL_E_NOT_WRITABLE',
      op: 'write the chart',
      place: path,
      message: 'the file could not be written',
      hint: 'choose a directory that exists and that you may write to',
      cause,
    });
  }
}
