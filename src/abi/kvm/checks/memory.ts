/** guest_memfds, memory attributes, dirty logs and KVM_PRE_FAULT_MEMORY. */
import {
  checksIn,
  EAGAIN,
  EFAULT,
  EINTR,
  EINVAL,
  EIO,
  ENOENT,
  ENXIO,
  EOPNOTSUPP,
} from './check.ts';
import {
  fileChecks,
  noMemory,
  resourceChecks,
  unknownOnVmChecks,
  unreadable,
  vcpuChecks,
  vmChecks,
} from './common.ts';

const kvmMain = 'virt/kvm/kvm_main.c';

const noDescriptor = { 'process.no-descriptor': resourceChecks['process.no-descriptor'] };

const loggedSlot = checksIn(
  `${kvmMain}, kvm_get_dirty_log_protect() and kvm_clear_dirty_log_protect()`,
  {
    'dirty-log.rings': ENXIO(
      'the VM has dirty rings in place of bitmaps',
      'read the rings of the vCPUs, or leave KVM_CAP_DIRTY_LOG_RING out',
    ),
    'dirty-log.slot-number': EINVAL(
      'the VM has no such address space, or the number of the slot is out of range',
      'name a slot as it was set; a TD has only address space 0',
    ),
  },
);

const isLogged = checksIn(
  `${kvmMain}, kvm_get_dirty_log_protect() and kvm_clear_dirty_log_protect()`,
  {
    'dirty-log.not-logged': ENOENT(
      'the slot is not there, or has no KVM_MEM_LOG_DIRTY_PAGES',
      'set the slot with KVM_MEM_LOG_DIRTY_PAGES first; private memory has no log',
    ),
  },
);

export const memoryChecks = {
  KVM_CREATE_GUEST_MEMFD: {
    ...vmChecks,
    ...unreadable,
    ...checksIn('virt/kvm/guest_memfd.c, kvm_gmem_create()', {
      'create-guest-memfd.flags': EINVAL(
        'a flag that the VM does not have: GUEST_MEMFD_FLAG_INIT_SHARED on a TD, or an unknown one',
        'give a TD no flag but GUEST_MEMFD_FLAG_MMAP',
      ),
      'create-guest-memfd.size': EINVAL(
        'the size is 0, negative or no multiple of 4 KiB',
        'give a size in whole pages',
      ),
    }),
    ...noDescriptor,
    ...noMemory,
  },
  KVM_LINK_GUEST_MEMFD: { ...vmChecks, ...unknownOnVmChecks },
  KVM_SET_MEMORY_ATTRIBUTES: {
    ...vmChecks,
    ...unreadable,
    ...checksIn(`${kvmMain}, kvm_vm_ioctl_set_mem_attributes()`, {
      'memory-attributes.flags': EINVAL('flags is not 0', 'pass 0 in flags'),
      'memory-attributes.unsupported': EINVAL(
        'an attribute that the VM does not have: a TD has PRIVATE, other VMs have none',
        'set only what KVM_CAP_MEMORY_ATTRIBUTES on the VM says',
      ),
      'memory-attributes.range': EINVAL(
        'the range is empty, or wraps',
        'give at least one page, below 2^64',
      ),
      'memory-attributes.unaligned': EINVAL(
        'address or size is not a multiple of 4 KiB',
        'give whole pages',
      ),
    }),
    ...noMemory,
  },
  KVM_GET_DIRTY_LOG: {
    ...vmChecks,
    ...unreadable,
    ...loggedSlot,
    ...isLogged,
    ...checksIn(`${kvmMain}, kvm_get_dirty_log_protect()`, {
      'get-dirty-log.bitmap-unwritable': EFAULT(
        'the bitmap cannot be written',
        'pass memory for a bit of each page, in whole words of 64',
        { leaves: 'without KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 the log is cleared' },
      ),
    }),
  },
  KVM_CLEAR_DIRTY_LOG: {
    ...vmChecks,
    ...unreadable,
    ...loggedSlot,
    ...checksIn(`${kvmMain}, kvm_clear_dirty_log_protect()`, {
      'clear-dirty-log.unaligned': EINVAL(
        'first_page is not a multiple of 64',
        'clear whole words of 64 pages',
      ),
    }),
    ...isLogged,
    ...checksIn(`${kvmMain}, kvm_clear_dirty_log_protect()`, {
      'clear-dirty-log.range': EINVAL(
        'the pages reach beyond the slot, or are no whole words of 64 before its end',
        'clear whole words of 64 pages, or up to the end of the slot',
      ),
      'clear-dirty-log.bitmap-unreadable': EFAULT(
        'the bitmap cannot be read',
        'pass a bit for each page, in whole words of 64',
      ),
    }),
  },
};

export const otherLinkGuestMemfdChecks = {
  ...unreadable,
  ...checksIn('RFC v2 of linking guest_memfds, May 2025, 04/13, kvm_gmem_link()', {
    'link-guest-memfd.flags': EINVAL('flags is not 0', 'pass 0 in flags'),
    'link-guest-memfd.no-memfd': EINVAL(
      'the descriptor is not open, or is none of a guest_memfd',
      'pass a guest_memfd of the other VM, and keep it open until the request has answered',
    ),
    'link-guest-memfd.same-vm': EINVAL(
      'the guest_memfd is one of this VM',
      'bind it as it is: only another VM needs a link',
    ),
  }),
  ...noDescriptor,
};

export const otherCreateGuestMemfdChecks = checksIn(
  'in-place conversion v8, June 2026, 25/46, kvm_arch_supports_gmem_init_shared()',
  {
    'create-guest-memfd.unknown-flag': EINVAL(
      'a flag other than GUEST_MEMFD_FLAG_MMAP and GUEST_MEMFD_FLAG_INIT_SHARED',
      'pass only what KVM_CAP_GUEST_MEMFD_FLAGS on the VM says',
    ),
  },
);

/** On a guest_memfd. */
export const memoryAttributes2Checks = {
  KVM_SET_MEMORY_ATTRIBUTES2: { 'file.not-kvm': fileChecks['file.not-kvm'] },
};

const nothingConverted = 'nothing is converted; error_offset names the page';

export const otherMemoryAttributes2Checks = {
  ...unreadable,
  ...checksIn('in-place conversion v8, June 2026, 13/46, kvm_gmem_set_attributes()', {
    'memory-attributes2.flags': EINVAL('flags is not 0', 'pass 0 in flags'),
    'memory-attributes2.reserved': EINVAL(
      'reserved[] is not 0; error_offset may be anything',
      'zero the struct before filling it in',
    ),
    'memory-attributes2.no-private-memory': EINVAL(
      'the VM of the guest_memfd has no private memory',
      'ask where KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES on the VM is not 0',
    ),
    'memory-attributes2.unsupported': EINVAL(
      'an attribute other than PRIVATE',
      'pass KVM_MEMORY_ATTRIBUTE_PRIVATE, or 0 to share the pages',
    ),
    'memory-attributes2.range': EINVAL(
      'the range is empty, or wraps',
      'give at least one page, below 2^64',
    ),
    'memory-attributes2.unaligned': EINVAL(
      'offset or size is not a multiple of 4 KiB',
      'give whole pages',
    ),
    'memory-attributes2.beyond-file': EINVAL(
      'the range reaches beyond the end of the file',
      'give offsets in the guest_memfd, which are no guest addresses',
    ),
  }),
  ...noMemory,
  ...checksIn('in-place conversion v8, June 2026, 14/46, __kvm_gmem_set_attributes()', {
    'memory-attributes2.page-in-use': EAGAIN(
      'a page is to become private and is in use: pinned, or read or written just now',
      'let go of the page at error_offset (unpin it, unmap it from the IOMMU), and ask again',
      { leaves: nothingConverted },
    ),
    'memory-attributes2.unwritable': EFAULT(
      'it failed, and the struct cannot be written back',
      'pass the struct in memory that the process may write',
      { leaves: 'nothing is converted' },
    ),
  }),
};

export const otherPreFaultChecks = checksIn(
  'dynamic PAMT v6, May 2026, 09/11, tdx_sept_map_leaf_spte()',
  {
    'pre-fault.pamt-refused': EIO(
      'TDH.PHYMEM.PAMT.ADD failed',
      'look up the SEAMCALL line of the kernel log: `dmesg | tdctl explain -`',
    ),
  },
);

export const preFaultChecks = {
  KVM_PRE_FAULT_MEMORY: {
    ...vcpuChecks,
    ...unreadable,
    ...checksIn(`${kvmMain}, kvm_vcpu_pre_fault_memory()`, {
      'pre-fault.flags': EINVAL('flags is not 0', 'pass 0 in flags'),
      'pre-fault.range': EINVAL(
        'gpa or size is not a multiple of 4 KiB, or the range is empty or wraps',
        'give whole pages, at least one',
      ),
      'pre-fault.interrupted': EINTR(
        'a signal waits before the first page',
        'call it again with the range as the kernel left it, until size is 0',
      ),
    }),
    ...checksIn('arch/x86/kvm/mmu/mmu.c, kvm_arch_vcpu_pre_fault_memory()', {
      'pre-fault.before-finalize': EOPNOTSUPP(
        'the TD is not finalised',
        'call KVM_TDX_FINALIZE_VM first',
      ),
      'pre-fault.shared-address': EINVAL(
        'the address has the shared bit of the TD (the GPAW bit)',
        'leave the shared bit out of gpa',
      ),
      'pre-fault.private-without-slot': EFAULT(
        'the page is private, and no memory slot lies at the address',
        'set the memory slot first',
        { source: 'arch/x86/kvm/mmu/mmu.c, kvm_handle_noslot_fault()' },
      ),
      'pre-fault.no-slot': ENOENT(
        'no memory slot lies at the address, and the page is shared',
        'set the memory slot first',
        { source: 'arch/x86/kvm/mmu/mmu.c, kvm_tdp_page_prefault()' },
      ),
      'pre-fault.no-memfd': EFAULT(
        'the page is private, and its slot has no guest_memfd, or a closed one',
        'set the slot with a guest_memfd, and keep that open',
        { source: 'arch/x86/kvm/mmu/mmu.c, kvm_mmu_faultin_pfn_gmem()' },
      ),
    }),
    ...noMemory,
    ...checksIn('arch/x86/kvm/mmu/mmu.c, kvm_tdp_page_prefault()', {
      'pre-fault.module-refused': EIO(
        'TDH.MEM.SEPT.ADD or TDH.MEM.PAGE.AUG failed',
        'look up the SEAMCALL line of the kernel log: `dmesg | tdctl explain -`',
        { vmDead: true },
      ),
      'pre-fault.unwritable': EFAULT(
        'the range cannot be written back, however the request ended',
        'pass the range in memory that the process may write',
        { leaves: 'pages that were mapped stay', source: `${kvmMain}, kvm_vcpu_ioctl()` },
      ),
    }),
  },
};
