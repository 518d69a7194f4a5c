/** KVM_TDX_INIT_VCPU, KVM_TDX_INIT_MEM_REGION and KVM_TDX_GET_CPUID. */
import { checksIn } from './check.ts';
import { secondStageChecks, vcpuCommandChecks } from './tdx-command.ts';

const tdx = 'arch/x86/kvm/vmx/tdx.c';
const pagesStay = 'pages added so far stay, and the region says how far it came';
const fitMap = 'compare the memory map of the VMM with the sections: `tdctl measure FIRMWARE`';
const lookAtLog = 'look up the SEAMCALL line of the kernel log: `dmesg | tdctl explain -`';

export const initVcpuChecks = {
  ...vcpuCommandChecks,
  ...checksIn(`${tdx}, tdx_vcpu_init()`, {
    'init-vcpu.flags': {
      errno: 'EINVAL',
      when: 'flags of the command is not 0',
      remedy: 'pass 0 in flags',
    },
    'init-vcpu.done-already': {
      errno: 'EINVAL',
      when: 'the vCPU is initialised already',
      remedy: 'initialise each vCPU once',
    },
    'init-vcpu.no-x2apic': {
      errno: 'EINVAL',
      when: 'the CPUID of the vCPU has no x2APIC',
      remedy: 'call KVM_SET_CPUID2 with x2APIC (leaf 1, ECX bit 21) before',
    },
    'init-vcpu.no-memory': {
      errno: 'ENOMEM',
      when: 'there is no memory for the pages of the vCPU',
      remedy: 'free memory, or raise the limit of the memory cgroup, and repeat it',
      leaves: 'the APIC of the vCPU is in x2APIC mode',
      source: `${tdx}, tdx_td_vcpu_init()`,
    },
    'init-vcpu.module-refused': {
      errno: 'EIO',
      when: 'TDH.VP.CREATE, TDH.VP.ADDCX or TDH.VP.INIT failed',
      remedy: lookAtLog,
      leaves: 'pages that the module has taken stay until the TD ends',
      vmDead: true,
      source: `${tdx}, tdx_td_vcpu_init()`,
    },
  }),
};

export const otherInitVcpuChecks = checksIn('RFC v2 of intra-host migration, June 2025, 05/10', {
  'init-vcpu.td-not-initialised': {
    errno: 'EIO',
    when: 'the TD is not initialised, or is finalised already',
    remedy: 'initialise the vCPU between KVM_TDX_INIT_VM and KVM_TDX_FINALIZE_VM',
  },
});

export const initMemRegionChecks = {
  ...vcpuCommandChecks,
  ...checksIn(`${tdx}, tdx_vcpu_init_mem_region()`, {
    'init-mem-region.vcpu-not-initialised': {
      errno: 'EINVAL',
      when: 'the vCPU is not initialised',
      remedy: 'call KVM_TDX_INIT_VCPU on it before',
    },
    'init-mem-region.flags': {
      errno: 'EINVAL',
      when: 'flags has a bit other than KVM_TDX_MEASURE_MEMORY_REGION',
      remedy: 'pass 0 or KVM_TDX_MEASURE_MEMORY_REGION',
    },
    'init-mem-region.unreadable': {
      errno: 'EFAULT',
      when: 'struct kvm_tdx_init_mem_region is unreadable',
      remedy: 'pass the address of a struct kvm_tdx_init_mem_region in data',
    },
    'init-mem-region.source-zero': {
      errno: 'EINVAL',
      when: 'source_addr is 0',
      remedy: 'give the address of the pages to copy; Linux 7.3 takes none at 0',
    },
    'init-mem-region.source-unaligned': {
      errno: 'EINVAL',
      when: 'source_addr is not a multiple of 4 KiB',
      remedy: 'align the source to a page',
    },
    'init-mem-region.range': {
      errno: 'EINVAL',
      when: 'gpa is not a multiple of 4 KiB, there are no pages, or the range wraps',
      remedy: 'give whole pages, at least one',
    },
    'init-mem-region.not-private': {
      errno: 'EINVAL',
      when: 'the first or the last address is shared (the GPAW bit) rather than private',
      remedy: 'leave the shared bit out of gpa',
    },
    'init-mem-region.interrupted': {
      errno: 'EINTR',
      when: 'a signal waits, before a page or while the module is busy',
      remedy: 'call it again with the region as the kernel left it, until nr_pages is 0',
      leaves: pagesStay,
    },
    'init-mem-region.no-slot': {
      errno: 'EINVAL',
      when: 'no memory slot with a guest_memfd lies at the address',
      remedy: fitMap,
      leaves: pagesStay,
      source: 'virt/kvm/guest_memfd.c, kvm_gmem_populate()',
    },
    'init-mem-region.memfd-closed': {
      errno: 'EFAULT',
      when: 'the guest_memfd of the slot is closed',
      remedy: 'keep the guest_memfd open until the TD is finalised',
      leaves: pagesStay,
      source: 'virt/kvm/guest_memfd.c, kvm_gmem_populate()',
    },
    'init-mem-region.source-unreadable': {
      errno: ['EFAULT', 'ENOMEM'],
      when: 'the source page is unreadable, or could not be had',
      remedy: 'keep the source mapped and readable until the request has answered',
      leaves: pagesStay,
      source: 'virt/kvm/guest_memfd.c, kvm_gmem_populate()',
    },
    'init-mem-region.no-page': {
      errno: ['ENOMEM', 'EHWPOISON', 'EIO'],
      when: 'the page of the guest_memfd could not be had: no memory, or a damaged page',
      remedy: 'free memory; for EHWPOISON look for "mce:" in the kernel log',
      leaves: pagesStay,
      source: 'virt/kvm/guest_memfd.c, __kvm_gmem_populate()',
    },
    'init-mem-region.attribute-shared': {
      errno: 'EINVAL',
      when: 'the page is not set to private',
      remedy: 'set the range to private by KVM_SET_MEMORY_ATTRIBUTES before',
      leaves: pagesStay,
      source: 'virt/kvm/guest_memfd.c, __kvm_gmem_populate()',
    },
    'init-mem-region.added-already': {
      errno: 'EIO',
      when: 'the page was added already',
      remedy: 'add each page once: two sections of the firmware may overlap',
      leaves: pagesStay,
      source: 'arch/x86/kvm/mmu/tdp_mmu.c, kvm_tdp_mmu_map_private_pfn()',
    },
    'init-mem-region.no-table': {
      errno: 'ENOMEM',
      when: 'there is no memory for a table of the secure EPT',
      remedy: 'free memory, or raise the limit of the memory cgroup, and go on with the region',
      leaves: pagesStay,
      source: 'arch/x86/kvm/mmu/mmu.c, mmu_topup_memory_caches()',
    },
    'init-mem-region.module-refused': {
      errno: 'EIO',
      when: 'TDH.MEM.SEPT.ADD, TDH.MEM.PAGE.ADD or TDH.MR.EXTEND failed',
      remedy: lookAtLog,
      leaves: pagesStay,
      vmDead: true,
      source: `${tdx}, tdx_mem_page_add() and tdx_gmem_post_populate()`,
    },
    'init-mem-region.unwritable': {
      errno: 'EFAULT',
      when: 'the region cannot be written back',
      remedy: 'pass the region in memory that the process may write',
      leaves: pagesStay,
    },
  }),
};

export const otherInitMemRegionChecks = checksIn(`${tdx} of Linux 6.16, tdx_mem_page_add()`, {
  'init-mem-region.busy': {
    errno: 'EBUSY',
    when: 'the module was busy with the TD',
    remedy: 'call it again with the region as the kernel left it; newer kernels do that themselves',
    leaves: pagesStay,
  },
});

export const getCpuidChecks = {
  ...vcpuCommandChecks,
  ...secondStageChecks,
  ...checksIn(`${tdx}, tdx_vcpu_get_cpuid()`, {
    'get-cpuid.no-memory': {
      errno: 'ENOMEM',
      when: 'the kernel has no memory for the answer',
      remedy: 'free memory, or raise the limit of the memory cgroup',
    },
    'get-cpuid.unreadable': {
      errno: 'EFAULT',
      when: 'struct kvm_cpuid2 is unreadable',
      remedy: 'pass the address of a struct kvm_cpuid2 in data',
    },
    'get-cpuid.module-refused': {
      errno: 'EIO',
      when: 'leaf 0 or 80000000h of the TD cannot be read from the module',
      remedy: lookAtLog,
    },
    'get-cpuid.nent-unwritable': {
      errno: 'EFAULT',
      when: 'cpuid.nent cannot be written',
      remedy: 'pass struct kvm_cpuid2 in memory that the process may write',
    },
    'get-cpuid.buffer-too-small': {
      errno: 'E2BIG',
      when: 'there are more leaves than cpuid.nent has room for',
      remedy: 'ask again with as many entries as cpuid.nent says now',
      leaves: 'cpuid.nent is the number of leaves',
    },
    'get-cpuid.entries-unwritable': {
      errno: 'EFAULT',
      when: 'the entries cannot be written',
      remedy: 'pass memory for as many entries as nent says',
      leaves: 'cpuid.nent is the number of leaves',
    },
  }),
};
