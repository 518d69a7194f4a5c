import { writeWholeFile } from '../../files/index.ts';
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
  await writeWholeFile({ path, what: 'chart', existing: 'replace' }, content);
}
