import { writeFileSync } from 'node:fs';
import { captureOf } from '../../diagnosis/capture/capture.ts';
import { readFacts } from '../../diagnosis/doctor/index.ts';
import { TdctlError } from '../../errors/index.ts';
import { type CommandIo, say } from '../io.ts';
import { dataText } from '../output/data.ts';
import { version } from '../version.ts';

/** @throws TdctlError TDCTL_E_EXISTS, TDCTL_E_NOT_WRITABLE. */
export async function writeCapture(file: string, io: CommandIo): Promise<void> {
  const text = await dataText(captureOf(await readFacts(), { tdctl: version() }), 'json');
  if (file === '-') {
    io.stdout.write(text);
    return;
  }
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (cause) {
    throw notWritten(file, cause);
  }
  say(io, `wrote ${file}; look through it before you give it away`);
}

function notWritten(file: string, cause: unknown): TdctlError {
  const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
  return new TdctlError({
    code: exists ? 'TDCTL_E_EXISTS' : 'TDCTL_E_NOT_WRITABLE',
    op: 'write a host capture',
    place: file,
    message: exists ? 'this file exists already' : 'the capture could not be written',
    hint: exists
      ? 'choose another name, or remove it first; captures are never overwritten'
      : 'check that the directory exists and may be written to',
    cause,
  });
}
