/** What misc.max of this process's cgroups leaves for `tdx` (kernel/cgroup/misc.c, cgroup v2). */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readTdx } from './misc-file.ts';

export interface CgroupFiles {
  readonly root: string;
  /** The path of /proc/self/cgroup. */
  readonly self: string;
}

const thisProcess: CgroupFiles = { root: '/sys/fs/cgroup', self: '/proc/self/cgroup' };

/** The room is undefined where no level has a limit, or none can be read. */
export async function readCgroupRoom(files = thisProcess): Promise<number | undefined> {
  const path = /^0::(\/.*)$/m.exec(await readFile(files.self, 'utf8').catch(() => ''))?.[1];
  if (path === undefined) return undefined;
  const rooms = await Promise.all(lineage(path).map((level) => roomOf(join(files.root, level))));
  const limited = rooms.filter((room) => room !== undefined);
  return limited.length === 0 ? undefined : Math.min(...limited);
}

async function roomOf(directory: string): Promise<number | undefined> {
  const max = await readTdx(join(directory, 'misc.max'));
  const current = await readTdx(join(directory, 'misc.current'));
  return max === undefined || current === undefined ? undefined : max - current;
}

/** `/a/b` gives `/a/b`, `/a`, `/`. */
function lineage(path: string): string[] {
  return path === '/' ? ['/'] : [path, ...lineage(dirname(path))];
}
