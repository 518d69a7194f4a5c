/** What misc.max of this process's cgroups leaves for `tdx` (kernel/cgroup/misc.c, cgroup v2). */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface CgroupFiles {
  readonly root: string;
  /** Where /proc/self/cgroup is. */
  readonly self: string;
}

const thisProcess: CgroupFiles = { root: '/sys/fs/cgroup', self: '/proc/self/cgroup' };

/** undefined where no level has a limit, or none can be read. */
export async function readCgroupRoom(files = thisProcess): Promise<number | undefined> {
  const path = /^0::(\/.*)$/m.exec(await read(files.self))?.[1];
  if (path === undefined) return undefined;
  const rooms = await Promise.all(lineage(path).map((level) => roomOf(join(files.root, level))));
  const limited = rooms.filter((room) => room !== undefined);
  return limited.length === 0 ? undefined : Math.min(...limited);
}

async function roomOf(directory: string): Promise<number | undefined> {
  const max = tdxValue(await read(join(directory, 'misc.max')));
  const current = tdxValue(await read(join(directory, 'misc.current')));
  return max === undefined || current === undefined ? undefined : max - current;
}

/** `/a/b` gives `/a/b`, `/a`, `/`. */
function lineage(path: string): string[] {
  return path === '/' ? ['/'] : [path, ...lineage(dirname(path))];
}

/** `tdx 5`; `tdx max` is no limit. */
function tdxValue(text: string): number | undefined {
  const value = /^tdx (\d+)$/m.exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
