import { dirname } from 'node:path';
import { prepareWholeFile } from '../../files/index.ts';
import { makePrivateDirectory } from '../../files/private-directory.ts';
import { commandTable } from '../command-table.ts';

export interface Keeping {
  readonly word: string;
  readonly path: string;
  readonly content: () => Buffer;
}

/** Nothing is lost where that fails. What is no command leaves nothing. */
export async function keepCode({ word, path, content }: Keeping): Promise<void> {
  if (word !== '' && !Object.hasOwn(commandTable, word)) return;
  try {
    makePrivateDirectory(dirname(path));
    const file = await prepareWholeFile({ path, what: 'compiled code', existing: 'replace' });
    try {
      await file.put(content());
    } finally {
      file.release();
    }
  } catch {
    // The next one compiles again.
  }
}
