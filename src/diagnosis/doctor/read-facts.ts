import type { DoctorFacts, MemoryFacts, TdxHostFacts } from './facts.ts';
import { HostFiles } from './host-files.ts';
import { readCpu, readTopology } from './read/cpu.ts';
import { readAttestation, readEnvironment } from './read/environment.ts';
import { readFirmware } from './read/firmware.ts';
import { readKernel } from './read/kernel.ts';
import { readKernelLog } from './read/kernel-log.ts';
import { readKeySlots } from './read/key-slots.ts';
import { readKvm } from './read/kvm.ts';
import { readMsrs } from './read/msrs.ts';
import { parsed, type Reading } from './reading.ts';

/** @param root a directory with copies of a host's files (docs/doctor.md), or this machine. */
export async function readFacts(root?: string): Promise<DoctorFacts> {
  const files = new HostFiles(root);
  const [kvm, firmware] = await Promise.all([readKvm(files), readFirmware(files)]);
  return {
    environment: readEnvironment(files),
    cpu: readCpu(files),
    topology: readTopology(files),
    msrs: readMsrs(files),
    kernel: readKernel(files),
    log: readKernelLog(files),
    tdxHost: readTdxHost(files),
    keySlots: readKeySlots(files),
    memory: readMemory(files),
    kvm,
    attestation: readAttestation(files),
    firmware,
  };
}

/** Linux 7.2 and later have them (drivers/virt/coco/tdx-host). All but the version is for root. */
function readTdxHost(files: HostFiles): TdxHostFacts {
  const directory = '/sys/devices/faux/tdx_host';
  const version = (name: string) =>
    parsed(files.text(`${directory}/${name}`), (text) => /^\d+(\.\d+)+/.exec(text.trim())?.[0]);
  return {
    version: version('version'),
    seamldrVersion: version('seamldr_version'),
    remainingUpdates: parsed(files.text(`${directory}/num_remaining_updates`), (text) =>
      /^\d+\s*$/.test(text) ? Number(text) : undefined,
    ),
  };
}

function readMemory(files: HostFiles): Reading<MemoryFacts> {
  return parsed(files.text('/proc/meminfo'), (text) => {
    const kib = (name: string) => {
      const digits = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
      return digits === undefined ? null : Number(digits);
    };
    const totalKib = kib('MemTotal');
    return totalKib === null ? undefined : { totalKib, availableKib: kib('MemAvailable') };
  });
}
