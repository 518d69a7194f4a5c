/**
 * The misc cgroup keeps the key-slot ledger (kernel/cgroup/misc.c): the resource is `tdx`, only the
 * root has the capacity, and the use of a cgroup includes that of its children. Older kernels have
 * no misc.current at the root. A charge stays with the cgroup that built the TD, and goes up to the
 * parent when that cgroup is removed.
 */
import { join } from 'node:path';
import type { KeySlotFacts, SlotHolder } from '../facts.ts';
import type { HostFiles } from '../host-files.ts';
import { knownValue, parsed, type Reading, read } from '../reading.ts';

const mount = '/sys/fs/cgroup';

export function readKeySlots(files: HostFiles): KeySlotFacts {
  const hierarchy = hierarchyOf(files);
  const root = rootOf(files, hierarchy);
  const capacity = readTdx(files, join(root, 'misc.capacity'));
  if (capacity.state !== 'read') {
    return { hierarchy, capacity, used: capacity, holders: [], ownLimit: capacity };
  }
  return {
    hierarchy,
    capacity,
    used: readUse(files, root),
    holders: findHolders(files, root).sort((a, b) => b.slots - a.slots),
    ownLimit: readOwnLimit(files, root),
  };
}

function hierarchyOf(files: HostFiles): KeySlotFacts['hierarchy'] {
  if (files.exists(`${mount}/cgroup.controllers`)) return 'v2';
  if (files.exists(`${mount}/unified/cgroup.controllers`)) return 'hybrid';
  // A v1 hierarchy has a directory for each controller, as has one whose v2 mount lists nothing.
  if (files.exists(`${mount}/misc.capacity`)) return 'v2';
  return files.directories(mount).length > 0 ? 'v1' : 'none';
}

/** On v1 the misc controller can be mounted by itself. */
function rootOf(files: HostFiles, hierarchy: KeySlotFacts['hierarchy']): string {
  if (files.exists(`${mount}/misc/misc.capacity`)) return `${mount}/misc`;
  // The files of a shared host lie there, whatever the machine's own hierarchy is.
  if (files.exists(`${mount}/misc.capacity`)) return mount;
  return hierarchy === 'hybrid' ? `${mount}/unified` : mount;
}

function readUse(files: HostFiles, root: string): Reading<number> {
  const atRoot = readTdx(files, join(root, 'misc.current'));
  if (atRoot.state === 'read') return atRoot;
  const uses = childrenOf(files, root).map(({ path }) => useOf(files, path));
  return read(
    `${root}/*/misc.current`,
    uses.reduce<number>((sum, use) => sum + (use ?? 0), 0),
  );
}

/** Only cgroups with a use above 0 are looked into, since a host may have thousands. */
function findHolders(files: HostFiles, root: string): SlotHolder[] {
  const holders: SlotHolder[] = [];
  const visit = (path: string, name: string) => {
    const total = useOf(files, path);
    const inUse = childrenOf(files, path)
      .map((child) => ({ ...child, use: useOf(files, child.path) ?? 0 }))
      .filter(({ use }) => use > 0);
    const slots = (total ?? 0) - inUse.reduce((sum, { use }) => sum + use, 0);
    if (slots > 0) holders.push({ cgroup: name, slots, processes: countProcesses(files, path) });
    for (const child of inUse) visit(child.path, join(name, child.name));
  };
  visit(root, '/');
  return holders;
}

function childrenOf(files: HostFiles, path: string) {
  return files.directories(path).map((name) => ({ name, path: join(path, name) }));
}

function useOf(files: HostFiles, path: string): number | undefined {
  return knownValue(readTdx(files, join(path, 'misc.current')));
}

function countProcesses(files: HostFiles, path: string): number | null {
  const text = knownValue(files.text(join(path, 'cgroup.procs')));
  return text?.split('\n').filter((line) => line.trim() !== '').length ?? null;
}

/** `max` is no limit. Each cgroup up to the root may have a limit. */
function readOwnLimit(files: HostFiles, root: string): KeySlotFacts['ownLimit'] {
  const from = 'misc.max of this cgroup and those above it';
  const text = knownValue(files.text('/proc/self/cgroup')) ?? '';
  const own = /^0::(\/.*)$/m.exec(text)?.[1];
  let tightest: KeySlotFacts['ownLimit'] = { state: 'absent', from };
  let left = Number.POSITIVE_INFINITY;
  for (let path = own?.trim() ?? '/'; path !== '/'; path = join(path, '..')) {
    const limit = readTdx(files, join(root, path, 'misc.max'));
    if (limit.state !== 'read') continue;
    const used = useOf(files, join(root, path)) ?? 0;
    if (limit.value - used >= left) continue;
    left = limit.value - used;
    tightest = read(limit.from, { max: limit.value, used });
  }
  return tightest;
}

/** The kernel's accounting slips below 0 after one INIT_VM over the limit; that counts as 0. */
function readTdx(files: HostFiles, path: string): Reading<number> {
  return parsed(files.text(path), (text) => {
    const digits = /^tdx (-?\d+)\r?$/m.exec(text)?.[1];
    return digits === undefined ? undefined : Math.max(0, Number(digits));
  });
}
