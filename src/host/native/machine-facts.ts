/** The facts of this machine that sysfs tells. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const cpuDirectory = '/sys/devices/system/cpu';

export interface MachineFacts {
  readonly presentCpus: number;
  readonly onlineCpus: number;
  readonly packages: number | undefined;
}

export async function readMachineFacts(): Promise<MachineFacts> {
  return {
    presentCpus: countCpuList(await readFile(join(cpuDirectory, 'present'), 'utf8')),
    onlineCpus: countCpuList(await readFile(join(cpuDirectory, 'online'), 'utf8')),
    packages: await countPackages(),
  };
}

/** Counts the CPUs of a list: `0-3,8,10-11` has 7. */
export function countCpuList(list: string): number {
  return list
    .trim()
    .split(',')
    .filter((range) => range !== '')
    .map((range) => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0);
}

async function countPackages(): Promise<number | undefined> {
  const names = (await readdir(cpuDirectory)).filter((name) => /^cpu\d+$/.test(name));
  // An offline CPU has no topology directory.
  const ids = await Promise.all(
    names.map((name) =>
      readFile(join(cpuDirectory, name, 'topology/physical_package_id'), 'utf8').catch(() => ''),
    ),
  );
  const packages = new Set(ids.map((id) => id.trim()).filter((id) => id !== ''));
  return packages.size === 0 ? undefined : packages.size;
}
