import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readFacts } from '../../../src/diagnosis/doctor/index.ts';
import { readSlotLedger } from '../../../src/diagnosis/doctor/ledger.ts';
import { hostTree } from './host-tree.ts';

function ledger(fixture: string, change: (directory: string) => void = () => undefined) {
  const directory = hostTree(fixture);
  try {
    change(directory);
    return readSlotLedger(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('slots are listed by the cgroup that they are charged to, most first', () => {
  expect(ledger('healthy')).toEqual({
    capacity: 63,
    used: 3,
    free: 60,
    holders: [
      { cgroup: '/machine.slice/td-b.scope', slots: 2, processes: 2 },
      { cgroup: '/machine.slice/td-a.scope', slots: 1, processes: 1 },
    ],
    leakEvidence: [],
  });
});

test('without misc.current at the root the children are summed', () => {
  expect(ledger('nested-cgroups')).toMatchObject({ used: 5, free: 58 });
});

test('a charge that no process explains, and the word of the kernel, are signs of a leak', () => {
  expect(ledger('leaked-slot')?.leakEvidence).toEqual([
    'the kernel log says that HKID 77 is leaked',
    '1 slot is charged to /machine.slice, which has no process',
  ]);
});

test('slots of processes in the root cgroup are no leak', () => {
  const found = ledger('healthy', (directory) => {
    writeFileSync(join(directory, 'sys/fs/cgroup/misc.current'), 'tdx 4\n');
    writeFileSync(join(directory, 'sys/fs/cgroup/cgroup.procs'), '');
  });
  expect(found?.holders).toContainEqual({ cgroup: '/', slots: 1, processes: 0 });
  expect(found?.leakEvidence).toEqual([]);
});

test('a count below zero, which the kernel can show, is 0', () => {
  const found = ledger('healthy', (directory) => {
    writeFileSync(join(directory, 'sys/fs/cgroup/misc.current'), 'tdx -1\n');
  });
  expect(found).toMatchObject({ used: 0, free: 63 });
});

test('cgroup v1: no ledger', () => {
  expect(ledger('cgroup-v1')).toBeUndefined();
});

test('the misc controller mounted by itself on a v1 host is counted', () => {
  const found = ledger('cgroup-v1', (directory) => {
    const misc = join(directory, 'sys/fs/cgroup/misc');
    mkdirSync(misc);
    writeFileSync(join(misc, 'misc.capacity'), 'tdx 9\n');
    writeFileSync(join(misc, 'misc.current'), 'tdx 2\n');
  });
  expect(found).toMatchObject({ capacity: 9, used: 2, free: 7 });
});

test('the cgroup limit that leaves the fewest slots is the one that counts', async () => {
  const directory = hostTree('healthy');
  const slice = join(directory, 'sys/fs/cgroup/user.slice');
  const session = join(slice, 'user-1000.slice/session-3.scope');
  mkdirSync(session, { recursive: true });
  writeFileSync(join(slice, 'misc.max'), 'tdx 9\n');
  writeFileSync(join(slice, 'misc.current'), 'tdx 8\n');
  writeFileSync(join(session, 'misc.max'), 'tdx 4\n');
  writeFileSync(join(session, 'misc.current'), 'tdx 1\n');
  const { keySlots } = await readFacts(directory);
  rmSync(directory, { recursive: true });
  expect(keySlots.ownLimit).toMatchObject({
    from: '/sys/fs/cgroup/user.slice/misc.max',
    value: { max: 9, used: 8 },
  });
});
