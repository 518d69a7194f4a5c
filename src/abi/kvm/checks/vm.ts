/** Smaller requests on a VM, and those of a vCPU that ask the same. */
import { checksIn, EBUSY, EINVAL, ENODEV, ENOTTY } from './check.ts';
import {
  noMemory,
  resourceChecks,
  unreadable,
  unwritable,
  vcpuChecks,
  vmChecks,
} from './common.ts';

const x86 = 'arch/x86/kvm/x86.c';
const beforeVcpus = 'set it before the first vCPU';

const noDescriptor = { 'process.no-descriptor': resourceChecks['process.no-descriptor'] };

const encryptRegion = {
  ...vmChecks,
  ...unreadable,
  ...checksIn(`${x86}, kvm_arch_vm_ioctl()`, {
    'encrypt-region.unsupported': ENOTTY(
      'KVM on Intel has no such operation',
      'leave it out: memory is pinned for SEV only',
    ),
  }),
};

const tscRange = checksIn(`${x86}, kvm_arch_vm_ioctl() and kvm_arch_vcpu_ioctl()`, {
  'set-tsc-khz.range': EINVAL(
    'the frequency is above what the CPU can scale to',
    'for a TD name 100 000 to 10 000 000 kHz in steps of 25 000',
  ),
});

export const vmSettingChecks = {
  KVM_SET_BOOT_CPU_ID: {
    ...vmChecks,
    ...checksIn(`${x86}, kvm_arch_vm_ioctl()`, {
      'set-boot-cpu-id.too-late': EBUSY('the VM has a vCPU', beforeVcpus),
      'set-boot-cpu-id.range': EINVAL(
        'the id is above KVM_MAX_VCPU_IDS, or above what KVM_CAP_MAX_VCPU_ID was set to',
        'name an id that a vCPU can have',
      ),
    }),
  },
  KVM_MEMORY_ENCRYPT_REG_REGION: encryptRegion,
  KVM_MEMORY_ENCRYPT_UNREG_REGION: encryptRegion,
  KVM_CREATE_DEVICE: {
    ...vmChecks,
    ...unreadable,
    ...checksIn('virt/kvm/kvm_main.c, kvm_ioctl_create_device()', {
      'create-device.unknown': ENODEV(
        'this kernel has no device of the type',
        'leave it out: x86 has only that of VFIO, with CONFIG_KVM_VFIO',
      ),
    }),
    ...noMemory,
    ...checksIn('virt/kvm/vfio.c, kvm_vfio_create()', {
      'create-device.second': EBUSY(
        'the VM has a VFIO device',
        'use the one that it has, or close it first',
      ),
    }),
    ...noDescriptor,
    ...unwritable,
  },
  KVM_SET_TSS_ADDR: {
    ...vmChecks,
    ...checksIn(`${x86}, kvm_vm_ioctl_set_tss_addr()`, {
      'set-tss-addr.range': EINVAL(
        'the three pages do not fit below 4 GiB',
        'name at most 0xffffd000',
      ),
    }),
  },
  KVM_SET_IDENTITY_MAP_ADDR: {
    ...vmChecks,
    ...checksIn(`${x86}, kvm_arch_vm_ioctl()`, {
      'set-identity-map-addr.too-late': EINVAL('the VM has a vCPU', beforeVcpus),
    }),
    ...unreadable,
  },
  KVM_SET_NR_MMU_PAGES: {
    ...vmChecks,
    ...checksIn(`${x86}, kvm_vm_ioctl_set_nr_mmu_pages()`, {
      'set-nr-mmu-pages.range': EINVAL(
        'the number is below 64',
        'name at least 64 pages (KVM_MIN_ALLOC_MMU_PAGES)',
      ),
    }),
  },
  KVM_GET_CLOCK: {
    ...vmChecks,
    ...unwritable,
  },
  KVM_SET_CLOCK: {
    ...vmChecks,
    ...unreadable,
    ...checksIn(`${x86}, kvm_vm_ioctl_set_clock()`, {
      'set-clock.flags': EINVAL(
        'a flag that KVM_GET_CLOCK never answers',
        'pass what KVM_GET_CLOCK answered, or 0',
      ),
    }),
  },
  KVM_SET_TSC_KHZ: {
    ...vmChecks,
    ...tscRange,
    ...checksIn(`${x86}, kvm_arch_vm_ioctl()`, {
      'set-tsc-khz.too-late': EINVAL(
        'the VM has a vCPU',
        'set it on the VM before KVM_TDX_INIT_VM',
      ),
    }),
  },
  KVM_GET_TSC_KHZ: vmChecks,
  KVM_GET_STATS_FD: { ...vmChecks, ...noDescriptor },
};

export const vcpuSettingChecks = {
  KVM_KVMCLOCK_CTRL: {
    ...vcpuChecks,
    ...checksIn(`${x86}, kvm_set_guest_paused()`, {
      'kvmclock-ctrl.no-kvmclock': EINVAL(
        'the guest keeps no kvmclock on the vCPU, as no TD does',
        'leave it out for a TD; for other guests pass over it',
      ),
    }),
  },
  'KVM_SET_TSC_KHZ on a vCPU': {
    ...vcpuChecks,
    ...checksIn(`${x86}, kvm_arch_vcpu_ioctl()`, {
      'set-tsc-khz.protected': EINVAL(
        'the vCPU is one of a TD, whose TSC the module keeps',
        'set it on the VM before KVM_TDX_INIT_VM',
      ),
    }),
    ...tscRange,
    ...checksIn(`${x86}, set_tsc_khz()`, {
      'set-tsc-khz.too-slow': EINVAL(
        'the frequency is below that of the host, and the CPU has no TSC scaling',
        'name the frequency of the host, or 0',
      ),
    }),
  },
  'KVM_GET_TSC_KHZ on a vCPU': vcpuChecks,
  'KVM_GET_STATS_FD on a vCPU': { ...vcpuChecks, ...noDescriptor },
};
