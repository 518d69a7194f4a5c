import { countCpuList } from '../../../host/native/machine-facts.ts';
import type { CpuFacts, TopologyFacts } from '../facts.ts';
import type { HostFiles } from '../host-files.ts';
import { knownValue, parsed, type Reading, read } from '../reading.ts';

/** The first CPU stands for all: the TDX module refuses a machine where they differ. */
export function readCpu(files: HostFiles): Reading<CpuFacts> {
  return parsed(files.text('/proc/cpuinfo'), (text) => {
    const field = (name: string) =>
      new RegExp(`^${name}[ \\t]*:[ \\t]*(.*?)\\r?$`, 'm').exec(text)?.[1]?.trim() ?? '';
    const number = (name: string) => (/^\d+$/.test(field(name)) ? Number(field(name)) : null);
    const list = (name: string) =>
      field(name)
        .split(' ')
        .filter((word) => word !== '');
    const vendor = field('vendor_id');
    const flags = list('flags');
    if (vendor === '' && flags.length === 0) return undefined;
    return {
      vendor,
      family: number('cpu family'),
      model: number('model'),
      modelName: field('model name'),
      microcode: field('microcode'),
      flags,
      bugs: list('bugs'),
      ...addressBits(field('address sizes')),
    };
  });
}

/** Of `46 bits physical, 57 bits virtual`. */
function addressBits(sizes: string): Pick<CpuFacts, 'addressBits'> {
  const bits = /^(\d+) bits physical/.exec(sizes)?.[1];
  return bits === undefined ? {} : { addressBits: Number(bits) };
}

const directory = '/sys/devices/system/cpu';

export function readTopology(files: HostFiles): TopologyFacts {
  return {
    presentCpus: parsed(files.text(`${directory}/present`), cpuCount),
    onlineCpus: parsed(files.text(`${directory}/online`), cpuCount),
    packages: readPackages(files),
    threadsPerCore: parsed(files.text(`${directory}/cpu0/topology/thread_siblings_list`), cpuCount),
  };
}

function cpuCount(list: string): number | undefined {
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*\s*$/.test(list)) return undefined;
  const count = countCpuList(list);
  return count > 0 ? count : undefined;
}

/** An offline CPU has no topology directory, so a package with none online is not counted. */
function readPackages(files: HostFiles): Reading<number> {
  const from = `${directory}/cpu*/topology/physical_package_id`;
  const ids = new Set<string>();
  for (const name of files.names(directory)) {
    if (!/^cpu\d+$/.test(name)) continue;
    const id = knownValue(files.text(`${directory}/${name}/topology/physical_package_id`));
    if (id !== undefined) ids.add(id.trim());
  }
  return ids.size === 0 ? { state: 'absent', from } : read(from, ids.size);
}
