/** Kernel, KVM, VMM and devices of the host. */
import type { Case } from './case.ts';

export const hostCases: readonly Case[] = [
  { from: 'intel/tdx-linux#8', log: 'vfio-no-cdev.log', ids: ['vfio.no-character-device'] },
  {
    from: 'canonical/tdx#367',
    log: 'vfio-not-opened.log',
    ids: ['vfio.character-device-not-opened'],
  },
  { from: 'canonical/tdx#285', log: 'kvm-tdp-mmu.log', ids: ['kvm.tdp-mmu-off'] },
  {
    from: 'confidential-containers/operator#496',
    log: 'kata-placeholder.log',
    ids: ['kata.qemu-path-not-filled-in', 'kata.no-sandbox'],
  },
  {
    from: 'canonical/tdx#135',
    log: 'libvirt-too-old.log',
    ids: ['libvirt.too-old-for-tdx', 'libvirt.domain-not-defined'],
  },
  {
    from: 'a mail',
    log: 'wrapped-seamcall.log',
    ids: ['seamcall.sys-rd.module-too-old', 'module-init.seamcall-failed'],
  },
  { from: 'a mail', log: 'wrapped-init-vm.log', ids: ['init-vm.no-key-slot'] },
  {
    from: 'a mail, quoted and cut at 40',
    log: [
      '> qemu-system-x86_64: TDX ioctl KVM_TDX_IN',
      '> IT_VM failed, hw_errors: 0x0: No space',
      '> left on device',
    ],
    ids: ['init-vm.no-key-slot'],
  },
  {
    from: 'a line that was cut off',
    log: ['qemu-system-x86_64: TDX ioctl KVM_TDX_INIT_VM failed, hw_errors: 0x0:'],
    ids: ['kvm.errno-not-shown'],
  },
  {
    from: 'two problems in one log',
    log: [
      '[    9.1] virt/tdx: initialization failed: Hibernation support is enabled',
      '[   12.3] kvm_intel: no TDX private KeyIDs available',
      'qemu-system-x86_64: vm-type tdx not supported by KVM',
    ],
    ids: ['kernel.hibernation-enabled', 'kvm.no-key-ids', 'vmm.vm-type-unsupported'],
  },
  {
    from: 'QEMU, a firmware without TDX',
    log: [
      'qemu-system-x86_64: Cannot find TDX_METADATA_OFFSET_GUID',
      'qemu-system-x86_64: failed to parse TDVF',
    ],
    ids: ['tdvf.not-a-td-firmware', 'vmm.firmware-section'],
  },
  {
    from: 'QEMU, a named CPU model',
    log: ['qemu-system-x86_64: Named cpu model is not supported for TDX yet!'],
    ids: ['vmm.named-cpu-model'],
  },
  {
    from: 'QEMU, a status of TDH.VP.ENTER',
    log: ['KVM: entry failed, hardware error 0xc000060600000000'],
    ids: ['vmm.vcpu-not-entered'],
  },
];
