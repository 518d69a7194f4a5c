import type { CommandIo } from '../io.ts';
import { writeNamedFile } from '../output/write-file.ts';

/** Writes to the file, over what was there, or to standard output where none is named. */
export async function writeOutput(
  content: string | Buffer,
  { path, io }: { readonly path: string | undefined; readonly io: CommandIo },
): Promise<void> {
  if (path === undefined) {
    io.stdout.write(content.toString());
    return;
  }
  await writeNamedFile(path, { what: 'the chart', content });
}
