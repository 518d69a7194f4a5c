/** guest_memfds, memory attributes, dirty logs and KVM_PRE_FAULT_MEMORY. */
import { checksIn } from './check.ts';
import {
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
    'dirty-log.rings': {
      errno: 'ENXIO',
      when: 'the VM has dirty rings in place of bitmaps',
      remedy: 'read the rings of the vCPUs, or leave KVM_CAP_DIRTY_LOG_RING out',
    },
    'dirty-log.slot-number': {
      errno: 'EINVAL',
      when: 'the VM has no such address space, or the number of the slot is out of range',
      remedy: 'name a slot as it was set; a TD has only address space 0',
    },
  },
);

const isLogged = checksIn(
  `${kvmMain}, kvm_get_dirty_log_protect() and kvm_clear_dirty_log_protect()`,
  {
    'dirty-log.not-logged': {
      errno: 'ENOENT',
      when: 'the slot is not there, or has no KVM_MEM_LOG_DIRTY_PAGES',
      remedy: 'set the slot with KVM_MEM_LOG_DIRTY_PAGES first; private memory has no log',
    },
  },
);

export const memoryChecks = {
  KVM_CREATE_GUEST_MEMFD: {
    ...vmChecks,
    ...unreadable,
    ...checksIn('virt/kvm/guest_memfd.c, kvm_gmem_create()', {
      'create-guest-memfd.flags': {
        errno: 'EINVAL',
        when: 'a flag that the VM does not have: GUEST_MEMFD_FLAG_INIT_SHARED on a TD, or an unknown one',
        remedy: 'give a TD no flag but GUEST_MEMFD_FLAG_MMAP',
      },
      'create-guest-memfd.size': {
        errno: 'EINVAL',
        when: 'the size is 0, negative or no multiple of 4 KiB',
        remedy: 'give a size in whole pages',
      },
    }),
    ...noDescriptor,
    ...noMemory,
  },
  KVM_LINK_GUEST_MEMFD: { ...vmChecks, ...unknownOnVmChecks },
  KVM_SET_MEMORY_ATTRIBUTES: {
    ...vmChecks,
    ...unreadable,
    ...checksIn(`${kvmMain}, kvm_vm_ioctl_set_mem_attributes()`, {
      'memory-attributes.flags': {
        errno: 'EINVAL',
        when: 'flags is not 0',
        remedy: 'pass 0 in flags',
      },
      'memory-attributes.unsupported': {
        errno: 'EINVAL',
        when: 'an attribute that the VM does not have: a TD has PRIVATE, other VMs have none',
        remedy: 'set only what KVM_CAP_MEMORY_ATTRIBUTES on the VM says',
      },
      'memory-attributes.range': {
        errno: 'EINVAL',
        when: 'the range is empty, or wraps',
        remedy: 'give at least one page, below 2^64',
      },
      'memory-attributes.unaligned': {
        errno: 'EINVAL',
        when: 'address or size is not a multiple of 4 KiB',
        remedy: 'give whole pages',
      },
    }),
    ...noMemory,
  },
  KVM_GET_DIRTY_LOG: {
    ...vmChecks,
    ...unreadable,
    ...loggedSlot,
    ...isLogged,
    ...checksIn(`${kvmMain}, kvm_get_dirty_log_protect()`, {
      'get-dirty-log.bitmap-unwritable': {
        errno: 'EFAULT',
        when: 'the bitmap cannot be written',
        remedy: 'pass memory for a bit of each page, in whole words of 64',
        leaves: 'without KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 the log is cleared',
      },
    }),
  },
  KVM_CLEAR_DIRTY_LOG: {
    ...vmChecks,
    ...unreadable,
    ...loggedSlot,
    ...checksIn(`${kvmMain}, kvm_clear_dirty_log_protect()`, {
      'clear-dirty-log.unaligned': {
        errno: 'EINVAL',
        when: 'first_page is not a multiple of 64',
        remedy: 'clear whole words of 64 pages',
      },
    }),
    ...isLogged,
    ...checksIn(`${kvmMain}, kvm_clear_dirty_log_protect()`, {
      'clear-dirty-log.range': {
        errno: 'EINVAL',
        when: 'the pages reach beyond the slot, or are no whole words of 64 before its end',
        remedy: 'clear whole words of 64 pages, or up to the end of the slot',
      },
      'clear-dirty-log.bitmap-unreadable': {
        errno: 'EFAULT',
        when: 'the bitmap cannot be read',
        remedy: 'pass a bit for each page, in whole words of 64',
      },
    }),
  },
};

export const otherLinkGuestMemfdChecks = {
  ...unreadable,
  ...checksIn('RFC v2 of linking guest_memfds, May 2025, 04/13, kvm_gmem_link()', {
    'link-guest-memfd.flags': {
      errno: 'EINVAL',
      when: 'flags is not 0',
      remedy: 'pass 0 in flags',
    },
    'link-guest-memfd.no-memfd': {
      errno: 'EINVAL',
      when: 'the descriptor is not open, or is none of a guest_memfd',
      remedy: 'pass a guest_memfd of the other VM, and keep it open until the request has answered',
    },
    'link-guest-memfd.same-vm': {
      errno: 'EINVAL',
      when: 'the guest_memfd is one of this VM',
      remedy: 'bind it as it is: only another VM needs a link',
    },
  }),
  ...noDescriptor,
};

export const preFaultChecks = {
  KVM_PRE_FAULT_MEMORY: {
    ...vcpuChecks,
    ...unreadable,
    ...checksIn(`${kvmMain}, kvm_vcpu_pre_fault_memory()`, {
      'pre-fault.flags': {
        errno: 'EINVAL',
        when: 'flags is not 0',
        remedy: 'pass 0 in flags',
      },
      'pre-fault.range': {
        errno: 'EINVAL',
        when: 'gpa or size is not a multiple of 4 KiB, or the range is empty or wraps',
        remedy: 'give whole pages, at least one',
      },
      'pre-fault.interrupted': {
        errno: 'EINTR',
        when: 'a signal waits before the first page',
        remedy: 'call it again with the range as the kernel left it, until size is 0',
      },
    }),
    ...checksIn('arch/x86/kvm/mmu/mmu.c, kvm_arch_vcpu_pre_fault_memory()', {
      'pre-fault.before-finalize': {
        errno: 'EOPNOTSUPP',
        when: 'the TD is not finalised',
        remedy: 'call KVM_TDX_FINALIZE_VM first',
      },
      'pre-fault.shared-address': {
        errno: 'EINVAL',
        when: 'the address has the shared bit of the TD (the GPAW bit)',
        remedy: 'leave the shared bit out of gpa',
      },
      'pre-fault.no-slot': {
        errno: 'ENOENT',
        when: 'no memory slot lies at the address',
        remedy: 'set the memory slot first',
        source: 'arch/x86/kvm/mmu/mmu.c, kvm_tdp_page_prefault()',
      },
      'pre-fault.no-memfd': {
        errno: 'EFAULT',
        when: 'the page is private, and its slot has no guest_memfd, or a closed one',
        remedy: 'set the slot with a guest_memfd, and keep that open',
        source: 'arch/x86/kvm/mmu/mmu.c, kvm_mmu_faultin_pfn_gmem()',
      },
    }),
    ...noMemory,
    ...checksIn('arch/x86/kvm/mmu/mmu.c, kvm_tdp_page_prefault()', {
      'pre-fault.module-refused': {
        errno: 'EIO',
        when: 'TDH.MEM.SEPT.ADD or TDH.MEM.PAGE.AUG failed',
        remedy: 'look up the SEAMCALL line of the kernel log: `dmesg | tdctl explain -`',
        vmDead: true,
      },
      'pre-fault.unwritable': {
        errno: 'EFAULT',
        when: 'the range cannot be written back, however the request ended',
        remedy: 'pass the range in memory that the process may write',
        leaves: 'pages that were mapped stay',
        source: `${kvmMain}, kvm_vcpu_ioctl()`,
      },
    }),
  },
};
