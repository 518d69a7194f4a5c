import { readFile } from 'node:fs/promises';

/** Reads N of `tdx N` in a misc.* file; undefined without one, and for `tdx max`. */
export async function readTdx(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const match = /^tdx (\d+)$/m.exec(text);
  return match ? Number(match[1]) : undefined;
}
