/** Writes down what V8 compiled while a program ran (kept-code.ts). */
import { dirname } from 'node:path';
import { prepareWholeFile } from '../../files/index.ts';
import { makePrivateDirectory } from '../../files/private-directory.ts';

export interface Keeping {
  readonly path: string;
  readonly content: () => Buffer;
}

/** Nothing is lost where that fails. */
export async function keepCode({ path, content }: Keeping): Promise<void> {
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
