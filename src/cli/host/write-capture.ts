import { captureOf } from '../../diagnosis/capture/capture.ts';
import { readFacts } from '../../diagnosis/doctor/index.ts';
import { writeWholeFile } from '../../files/index.ts';
import type { CommandIo } from '../io.ts';
import { dataText } from '../output/data.ts';
import { say } from '../output/print.ts';
import { version } from '../version.ts';

const existsHint = 'choose another name, or replace it with --force';

/** @throws TdctlError TDCTL_E_EXISTS, TDCTL_E_NOT_WRITABLE. */
export async function writeCapture(
  file: string,
  { force, io }: { readonly force: boolean; readonly io: CommandIo },
): Promise<void> {
  const text = await dataText(captureOf(await readFacts(), { tdctl: version() }), 'json');
  if (file === '-') {
    io.stdout.write(text);
    return;
  }
  await writeWholeFile(
    { path: file, what: 'capture', existing: force ? 'replace' : 'refuse', existsHint },
    text,
  );
  say(io, `wrote ${file}; look through it before you give it away`);
}
