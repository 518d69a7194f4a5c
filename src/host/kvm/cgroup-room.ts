/** What the limits of this process's cgroups leave: of misc.max for `tdx` (kernel/cgroup/misc.c), of memory.max; cgroup v2. */
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
export function readCgroupRoom(files = thisProcess): Promise<number | undefined> {
  return leastRoom(files, roomOf);
}

/** What memory.max leaves, in bytes (mm/memcontrol.c). Cached files count as used, though the kernel may drop them. */
export function readCgroupMemory(files = thisProcess): Promise<bigint | undefined> {
  return leastRoom(files, memoryOf);
}

async function leastRoom<Room extends number | bigint>(
  { root, self }: CgroupFiles,
  read: (directory: string) => Promise<Room | undefined>,
): Promise<Room | undefined> {
  const path = /^0::(\/.*)$/m.exec(await readFile(self, 'utf8').catch(() => ''))?.[1];
  if (path === undefined) return undefined;
  const rooms = await Promise.all(lineage(path).map((level) => read(join(root, level))));
  return rooms.reduce((least, room) => {
    if (least === undefined || room === undefined) return least ?? room;
    return room < least ? room : least;
  });
}

async function memoryOf(directory: string): Promise<bigint | undefined> {
  const [max, current] = await Promise.all(
    ['memory.max', 'memory.current'].map(async (name) => {
      const text = await readFile(join(directory, name), 'utf8').catch(() => '');
      return /^\d+$/.test(text.trim()) ? BigInt(text) : undefined;
    }),
  );
  return max === undefined || current === undefined ? undefined : max - current;
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
