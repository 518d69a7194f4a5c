/** The last close of a file description, by its kind (`release` of Linux' file operations), and what that costs. */
import { guestPagesTeardownNs, releaseCost } from '../costs.ts';
import { acceptedPages } from '../guest-pages.ts';
import type { KernelFile } from './files.ts';
import type { Kernel } from './kernel.ts';
import { releaseGuestMemfd } from './memory/guest-memfd.ts';
import { releaseStatistics } from './stats-fd.ts';
import { putVm, releaseVmFile } from './vm/teardown.ts';
import { releaseVfioDevice } from './vm/vfio-device.ts';

/** Whatever the file was the last reference to is gone when this returns. */
export function releaseFile(kernel: Kernel, file: KernelFile): void {
  if (file.kind === 'vm') releaseVmFile(kernel, file.vm);
  else if (file.kind === 'vcpu') putVm(kernel, file.vcpu.vm);
  else if (file.kind === 'stats') releaseStatistics(kernel, file.statistics);
  else if (file.kind === 'device') releaseVfioDevice(kernel, file.device);
  else if (file.kind === 'guest_memfd') releaseGuestMemfd(kernel, file.guestMemfd);
}

/** Nanoseconds, to be asked before the file is released. */
export function releaseNs(kernel: Kernel, file: KernelFile): number {
  return releaseCost.ns + guestPagesNs(kernel, file);
}

/** What it costs to take the guest's own memory out of its TD (guest-pages.ts). */
function guestPagesNs(kernel: Kernel, file: KernelFile): number {
  if (file.kind !== 'guest_memfd') return 0;
  const { vm } = file.guestMemfd;
  const key = vm.td?.key === undefined ? 'released' : 'assigned';
  return guestPagesTeardownNs({
    pages: acceptedPages(kernel, file.guestMemfd),
    vcpus: vm.vcpus.length,
    key,
  });
}
