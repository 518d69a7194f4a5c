/** Key slots as the misc cgroup counts them: resource `tdx` (kernel/cgroup/misc.c). */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeySlots } from '../facts.ts';
import { readTdx } from './misc-file.ts';

/** The slots are undefined where the misc controller is absent, as on cgroup v1 hosts. */
export async function readKeySlots(root = '/sys/fs/cgroup'): Promise<KeySlots | undefined> {
  const total = await readTdx(join(root, 'misc.capacity'));
  if (total === undefined) return undefined;
  return { total, used: await readUse(root) };
}

/** Older kernels have no misc.current at the root. That of each child counts its whole subtree. */
async function readUse(root: string): Promise<number> {
  const atRoot = await readTdx(join(root, 'misc.current'));
  if (atRoot !== undefined) return atRoot;
  const entries = await readdir(root, { withFileTypes: true });
  const uses = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => readTdx(join(root, entry.name, 'misc.current'))),
  );
  return uses.reduce<number>((sum, use) => sum + (use ?? 0), 0);
}
