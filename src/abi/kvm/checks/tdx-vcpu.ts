/** KVM_TDX_INIT_VCPU, KVM_TDX_INIT_MEM_REGION and KVM_TDX_GET_CPUID. */
import { checksIn, E2BIG, EBUSY, EFAULT, EINTR, EINVAL, EIO, ENOMEM, refusing } from './check.ts';
import { secondStageChecks, vcpuCommandChecks } from './tdx-command.ts';

const tdx = 'arch/x86/kvm/vmx/tdx.c';
const pagesStay = 'pages added so far stay, and the region says how far it came';
const fitMap = 'compare the memory map of the VMM with the sections: `tdctl measure FIRMWARE`';
const lookAtLog = 'look up the SEAMCALL line of the kernel log: `dmesg | tdctl explain -`';

export const initVcpuChecks = {
  ...vcpuCommandChecks,
  ...checksIn(`${tdx}, tdx_vcpu_init()`, {
    'init-vcpu.flags': EINVAL('flags of the command is not 0', 'pass 0 in flags'),
    'init-vcpu.done-already': EINVAL(
      'the vCPU is initialised already',
      'initialise each vCPU once',
    ),
    'init-vcpu.no-x2apic': EINVAL(
      'the CPUID of the vCPU has no x2APIC',
      'call KVM_SET_CPUID2 with x2APIC (leaf 1, ECX bit 21) before',
    ),
    'init-vcpu.no-memory': ENOMEM(
      'there is no memory for the pages of the vCPU',
      'free memory, or raise the limit of the memory cgroup, and repeat it',
      { leaves: 'the APIC of the vCPU is in x2APIC mode', source: `${tdx}, tdx_td_vcpu_init()` },
    ),
    'init-vcpu.module-refused': EIO(
      'TDH.VP.CREATE, TDH.VP.ADDCX or TDH.VP.INIT failed',
      lookAtLog,
      {
        leaves: 'pages that the module has taken stay until the TD ends',
        vmDead: true,
        source: `${tdx}, tdx_td_vcpu_init()`,
      },
    ),
  }),
};

export const otherInitVcpuChecks = checksIn('RFC v2 of intra-host migration, June 2025, 05/10', {
  'init-vcpu.td-not-initialised': EIO(
    'the TD is not initialised, or is finalised already',
    'initialise the vCPU between KVM_TDX_INIT_VM and KVM_TDX_FINALIZE_VM',
  ),
});

export const initMemRegionChecks = {
  ...vcpuCommandChecks,
  ...checksIn(`${tdx}, tdx_vcpu_init_mem_region()`, {
    'init-mem-region.vcpu-not-initialised': EINVAL(
      'the vCPU is not initialised',
      'call KVM_TDX_INIT_VCPU on it before',
    ),
    'init-mem-region.flags': EINVAL(
      'flags has a bit other than KVM_TDX_MEASURE_MEMORY_REGION',
      'pass 0 or KVM_TDX_MEASURE_MEMORY_REGION',
    ),
    'init-mem-region.unreadable': EFAULT(
      'struct kvm_tdx_init_mem_region is unreadable',
      'pass the address of a struct kvm_tdx_init_mem_region in data',
    ),
    'init-mem-region.source-zero': EINVAL(
      'source_addr is 0',
      'give the address of the pages to copy; Linux 7.3 takes none at 0',
    ),
    'init-mem-region.source-unaligned': EINVAL(
      'source_addr is not a multiple of 4 KiB',
      'align the source to a page',
    ),
    'init-mem-region.range': EINVAL(
      'gpa is not a multiple of 4 KiB, there are no pages, or the range wraps',
      'give whole pages, at least one',
    ),
    'init-mem-region.not-private': EINVAL(
      'the first or the last address is shared (the GPAW bit) rather than private',
      'leave the shared bit out of gpa',
    ),
    'init-mem-region.interrupted': EINTR(
      'a signal waits, before a page or while the module is busy',
      'call it again with the region as the kernel left it, until nr_pages is 0',
      { leaves: pagesStay },
    ),
    'init-mem-region.no-slot': EINVAL(
      'no memory slot with a guest_memfd lies at the address',
      fitMap,
      { leaves: pagesStay, source: 'virt/kvm/guest_memfd.c, kvm_gmem_populate()' },
    ),
    'init-mem-region.memfd-closed': EFAULT(
      'the guest_memfd of the slot is closed',
      'keep the guest_memfd open until the TD is finalised',
      { leaves: pagesStay, source: 'virt/kvm/guest_memfd.c, kvm_gmem_populate()' },
    ),
    'init-mem-region.source-unreadable': refusing(['EFAULT', 'ENOMEM'])(
      'the source page is unreadable, or could not be had',
      'keep the source mapped and readable until the request has answered',
      { leaves: pagesStay, source: 'virt/kvm/guest_memfd.c, kvm_gmem_populate()' },
    ),
    'init-mem-region.no-page': refusing(['ENOMEM', 'EHWPOISON', 'EIO'])(
      'the page of the guest_memfd could not be had: no memory, or a damaged page',
      'free memory; for EHWPOISON look for "mce:" in the kernel log',
      { leaves: pagesStay, source: 'virt/kvm/guest_memfd.c, __kvm_gmem_populate()' },
    ),
    'init-mem-region.attribute-shared': EINVAL(
      'the page is not set to private',
      'set the range to private before: by KVM_SET_MEMORY_ATTRIBUTES, or by KVM_SET_MEMORY_ATTRIBUTES2 on the guest_memfd where KVM has that',
      { leaves: pagesStay, source: 'virt/kvm/guest_memfd.c, __kvm_gmem_populate()' },
    ),
    'init-mem-region.added-already': EIO(
      'the page was added already',
      'add each page once: two sections of the firmware may overlap',
      { leaves: pagesStay, source: 'arch/x86/kvm/mmu/tdp_mmu.c, kvm_tdp_mmu_map_private_pfn()' },
    ),
    'init-mem-region.no-table': ENOMEM(
      'there is no memory for a table of the secure EPT',
      'free memory, or raise the limit of the memory cgroup, and go on with the region',
      { leaves: pagesStay, source: 'arch/x86/kvm/mmu/mmu.c, mmu_topup_memory_caches()' },
    ),
    'init-mem-region.module-refused': EIO(
      'TDH.MEM.SEPT.ADD, TDH.MEM.PAGE.ADD or TDH.MR.EXTEND failed',
      lookAtLog,
      {
        leaves: pagesStay,
        vmDead: true,
        source: `${tdx}, tdx_mem_page_add() and tdx_gmem_post_populate()`,
      },
    ),
    'init-mem-region.unwritable': EFAULT(
      'the region cannot be written back',
      'pass the region in memory that the process may write',
      { leaves: pagesStay },
    ),
  }),
};

const dynamicPamt = 'dynamic PAMT v6, May 2026, 09/11';

export const otherInitMemRegionChecks = {
  ...checksIn(`${tdx} of Linux 6.16, tdx_mem_page_add()`, {
    'init-mem-region.busy': EBUSY(
      'the module was busy with the TD',
      'call it again with the region as the kernel left it; newer kernels do that themselves',
      { leaves: pagesStay },
    ),
  }),
  ...checksIn(`${dynamicPamt}, tdx_topup_external_pamt_cache()`, {
    'init-mem-region.no-pamt': ENOMEM(
      'dynamic PAMT is on, and there is no memory for the metadata of the page and of its tables',
      'free memory, or raise the limit of the memory cgroup, and go on with the region',
      { leaves: pagesStay },
    ),
    'init-mem-region.pamt-refused': EIO('TDH.PHYMEM.PAMT.ADD failed', lookAtLog, {
      leaves: pagesStay,
      source: `${dynamicPamt}, tdx_sept_map_leaf_spte()`,
    }),
  }),
};

export const getCpuidChecks = {
  ...vcpuCommandChecks,
  ...secondStageChecks,
  ...checksIn(`${tdx}, tdx_vcpu_get_cpuid()`, {
    'get-cpuid.no-memory': ENOMEM(
      'the kernel has no memory for the answer',
      'free memory, or raise the limit of the memory cgroup',
    ),
    'get-cpuid.unreadable': EFAULT(
      'struct kvm_cpuid2 is unreadable',
      'pass the address of a struct kvm_cpuid2 in data',
    ),
    'get-cpuid.module-refused': EIO(
      'leaf 0 or 80000000h of the TD cannot be read from the module',
      lookAtLog,
    ),
    'get-cpuid.nent-unwritable': EFAULT(
      'cpuid.nent cannot be written',
      'pass struct kvm_cpuid2 in memory that the process may write',
    ),
    'get-cpuid.buffer-too-small': E2BIG(
      'there are more leaves than cpuid.nent has room for',
      'ask again with as many entries as cpuid.nent says now',
      { leaves: 'cpuid.nent is the number of leaves' },
    ),
    'get-cpuid.entries-unwritable': EFAULT(
      'the entries cannot be written',
      'pass memory for as many entries as nent says',
      { leaves: 'cpuid.nent is the number of leaves' },
    ),
  }),
};
