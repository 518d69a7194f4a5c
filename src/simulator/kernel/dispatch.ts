/** What each kind of file makes of an ioctl: the file operations of Linux (`unlocked_ioctl`, `fallocate`). */
import type { CheckName } from '../../abi/kvm/checks/index.ts';
import type { Answer, Caller, Request } from '../interface.ts';
import { refuse } from './answer.ts';
import type { KernelFile } from './files.ts';
import type { Kernel } from './kernel.ts';
import { fallocate } from './memory/fallocate.ts';
import { guestMemfdIoctl } from './memory/guest-memfd-ioctl.ts';
import { systemIoctl } from './system/system-ioctl.ts';
import { vcpuIoctl } from './vcpu/vcpu-ioctl.ts';
import { vfioDeviceIoctl } from './vm/vfio-device.ts';
import { vmIoctl } from './vm/vm-ioctl.ts';

export function dispatch(
  kernel: Kernel,
  caller: Caller,
  file: KernelFile,
  request: Request,
): Answer {
  if (request.request === 'fallocate') return fallocate(kernel, caller, file, request);
  switch (file.kind) {
    case 'system':
      return systemIoctl(kernel, caller, request);
    case 'vm':
      return vmIoctl(kernel, caller, file.vm, request);
    case 'vcpu':
      return vcpuIoctl(kernel, caller, file.vcpu, request);
    case 'device':
      return vfioDeviceIoctl(kernel, caller, file.device, request);
    case 'guest_memfd':
      return guestMemfdIoctl(kernel, file.guestMemfd, request);
    case 'stats':
      return refuse('file.not-kvm');
  }
}

/** What a file answers to KVM_RUN that is none of a vCPU. */
export const takesNoRun: Readonly<Record<Exclude<KernelFile['kind'], 'vcpu'>, CheckName>> = {
  system: 'request.unknown',
  vm: 'request.unknown-on-vm',
  guest_memfd: 'file.not-kvm',
  stats: 'file.not-kvm',
  device: 'request.unknown-on-vm',
};
