import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { readCgroupMemory, readCgroupRoom } from '../../src/host/kvm/cgroup-room.ts';

const made: string[] = [];
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true });
});

/** A cgroup tree as files: a level's `max` and `current`. */
function tree(self: string, levels: Record<string, readonly [max: string, current: string]>) {
  const root = mkdtempSync(join(tmpdir(), 'tdctl-cgroup-'));
  made.push(root);
  for (const [path, [max, current]] of Object.entries(levels)) {
    const directory = join(root, path);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'misc.max'), `sev max\ntdx ${max}\n`);
    writeFileSync(join(directory, 'misc.current'), `sev 0\ntdx ${current}\n`);
  }
  writeFileSync(join(root, 'self'), self);
  return { root, self: join(root, 'self') };
}

describe('the room that memory cgroups leave', () => {
  function memoryTree(levels: Record<string, readonly [max: string, current: string]>) {
    const files = tree('0::/tenant/app\n', {});
    for (const [path, [max, current]] of Object.entries(levels)) {
      mkdirSync(join(files.root, path), { recursive: true });
      writeFileSync(join(files.root, path, 'memory.max'), `${max}\n`);
      writeFileSync(join(files.root, path, 'memory.current'), `${current}\n`);
    }
    return files;
  }

  test('is that of the tightest level from the process up, and levels without a limit do not count', async () => {
    const files = memoryTree({ '/tenant': ['8192', '4096'], '/tenant/app': ['max', '4096'] });
    expect(await readCgroupMemory(files)).toBe(4096n);
  });

  test('is not known where no level has a limit', async () => {
    expect(await readCgroupMemory(memoryTree({ '/tenant': ['max', '1'] }))).toBeUndefined();
  });
});

describe('the room that misc cgroups leave', () => {
  test('is that of the tightest level from the process up', async () => {
    const files = tree('0::/tenant/app\n', { '/tenant': ['4', '3'], '/tenant/app': ['10', '2'] });
    expect(await readCgroupRoom(files)).toBe(1);
  });

  test('is 0 or less at the limit, where INIT_VM is EBUSY', async () => {
    expect(await readCgroupRoom(tree('0::/a\n', { '/a': ['2', '2'] }))).toBe(0);
  });

  test('is not known where no level has a limit', async () => {
    expect(await readCgroupRoom(tree('0::/a\n', { '/a': ['max', '2'] }))).toBeUndefined();
  });

  test('is not known on cgroup v1, and without a cgroup file', async () => {
    expect(await readCgroupRoom(tree('4:misc:/a\n', { '/a': ['1', '1'] }))).toBeUndefined();
    expect(await readCgroupRoom({ root: '/nowhere', self: '/nowhere/self' })).toBeUndefined();
  });
});
