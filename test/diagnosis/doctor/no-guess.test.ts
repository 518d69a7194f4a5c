/** A copy is judged by what is in it: what it lacks makes nothing fail, and KVM's own word outweighs the rest. */
import { cpSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fixtureNames, hostTree, judge } from './host-tree.ts';

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

function tree(name: string): string {
  const directory = hostTree(name);
  made.push(directory);
  return directory;
}

async function failures(directory: string): Promise<readonly string[]> {
  const { checks } = await judge(directory);
  return checks.filter(({ status }) => status === 'fail').map(({ id }) => id);
}

describe('a healthy host of whose copy something is missing', () => {
  const healthy = tree('healthy');
  // What KVM, the module and its log tell outweighs most: without them each of the others counts.
  const silent = tree('healthy');
  for (const shown of ['kvm.json', 'dmesg.txt', 'sys/devices/faux', 'sys/fs/cgroup'])
    rmSync(join(silent, shown), { recursive: true });

  /** These say something by not being there, beside others that are. */
  const telling = ['sys/module/kvm_intel', 'sys/module/kvm_intel/parameters/tdx'];

  test.each([
    ['as it is', healthy],
    ['and nothing shows that TDX runs', silent],
  ])('%s: no check fails, whichever file or folder it is', async (_, directory) => {
    expect(await failures(directory)).toEqual([]);
    const paths = readdirSync(directory, { recursive: true, withFileTypes: true })
      .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
      .filter((path) => !telling.includes(path));
    const accused: string[] = [];
    for (const path of paths) {
      renameSync(join(directory, path), join(directory, 'away'));
      for (const id of await failures(directory)) accused.push(`${id} without ${path}`);
      renameSync(join(directory, 'away'), join(directory, path));
    }
    expect(accused).toEqual([]);
  });
});

describe('where KVM offers TDX VMs', () => {
  const healthy = tree('healthy');
  const groups = ['Environment', 'CPU', 'BIOS', 'Kernel', 'TDX module'];

  test.each(fixtureNames.filter((name) => name !== 'no-permission'))(
    '%s: nothing below KVM fails',
    async (name) => {
      const directory = tree(name);
      cpSync(join(healthy, 'kvm.json'), join(directory, 'kvm.json'));
      const { checks } = await judge(directory);
      const failed = checks.filter(
        ({ status, group }) => status === 'fail' && groups.includes(group),
      );
      expect(failed.map(({ id }) => id)).toEqual([]);
    },
  );
});
