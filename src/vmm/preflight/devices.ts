/** Devices of the host by iommufd: bound to vfio-pci, and with a file that this user may open. */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { openProblem } from './access.ts';
import type { DeviceFinding, KernelFiles } from './finding.ts';

export type LookedAtDevice = { readonly file: string } | { readonly finding: DeviceFinding };

export function lookAtDevice(
  address: string,
  { field, kernel }: { readonly field: string; readonly kernel: KernelFiles },
): LookedAtDevice {
  const at = (problem: string, remedy: string): LookedAtDevice => ({
    finding: { field: `${field}.vfio`, problem, remedy },
  });
  const directory = `${kernel.sys}/bus/pci/devices/${address}`;
  if (!existsSync(directory)) {
    return at(`there is no PCI device ${address}`, 'look for its address: lspci -D');
  }
  const bind = `bind it: driverctl set-override ${address} vfio-pci`;
  const driver = driverOf(directory);
  if (driver !== 'vfio-pci') {
    const has = driver === undefined ? 'has no driver' : `has the driver ${driver}`;
    return at(`${address} ${has}, and not vfio-pci`, bind);
  }
  const [name] = existsSync(`${directory}/vfio-dev`) ? readdirSync(`${directory}/vfio-dev`) : [];
  if (name === undefined) {
    return at(
      `${address} has no file for iommufd: this kernel has no CONFIG_VFIO_DEVICE_CDEV`,
      'use a kernel that has it (Linux 6.6 and later)',
    );
  }
  const file = `${kernel.dev}/vfio/devices/${name}`;
  for (const path of [`${kernel.dev}/iommu`, file]) {
    const errno = openProblem(path);
    if (errno !== undefined) {
      return at(
        `${path} cannot be opened by this user (${errno})`,
        'give this user the right to it',
      );
    }
  }
  return { file };
}

function driverOf(directory: string): string | undefined {
  try {
    return basename(readlinkSync(`${directory}/driver`));
  } catch {
    return undefined;
  }
}
