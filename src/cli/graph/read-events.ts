import { readFile } from 'node:fs/promises';
import { TdctlError } from '../../errors/index.ts';
import type { EventFile } from '../../visualize/recorded-runs.ts';

/** @throws TdctlError TDCTL_E_NOT_FOUND, TDCTL_E_NOT_READABLE. */
export async function readEvents(paths: readonly string[]): Promise<EventFile[]> {
  return await Promise.all(paths.map(readOne));
}

async function readOne(path: string): Promise<EventFile> {
  try {
    return { path, text: await readFile(path, 'utf8') };
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new TdctlError({
      code: isMissing ? 'TDCTL_E_NOT_FOUND' : 'TDCTL_E_NOT_READABLE',
      op: 'read recorded events',
      place: path,
      message: isMissing ? 'there is no such file' : 'the file could not be read',
      hint: 'record a run: tdctl run SPEC -o json > FILE',
      cause,
    });
  }
}
