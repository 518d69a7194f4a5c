/** KVM_SET_USER_MEMORY_REGION and KVM_SET_USER_MEMORY_REGION2: a memory slot is made, changed or deleted. */
import { checksIn } from './check.ts';
import { noMemory, unreadable, vmChecks } from './common.ts';

const kvmMain = 'virt/kvm/kvm_main.c';
const wholePages = 'use whole pages of 4 KiB';

const before = { ...vmChecks, ...unreadable };

const shape = checksIn(`${kvmMain}, kvm_set_memory_region()`, {
  'memory-region.slot-number': {
    errno: 'EINVAL',
    when: 'the number of the slot is not below what KVM_CAP_NR_MEMSLOTS says',
    remedy: 'number slots from 0',
    source: `${kvmMain}, kvm_vm_ioctl_set_memory_region()`,
  },
  'memory-region.flags': {
    errno: 'EINVAL',
    when: 'a flag that the VM does not have (KVM_MEM_READONLY on a TD), or another beside KVM_MEM_GUEST_MEMFD',
    remedy: 'give private memory no other flag, and a TD no read-only memory',
    source: `${kvmMain}, check_memory_region_flags()`,
  },
  'memory-region.size-unaligned': {
    errno: 'EINVAL',
    when: 'memory_size is not a multiple of 4 KiB',
    remedy: wholePages,
  },
  'memory-region.address-unaligned': {
    errno: 'EINVAL',
    when: 'guest_phys_addr is not a multiple of 4 KiB',
    remedy: wholePages,
  },
  'memory-region.user-address': {
    errno: 'EINVAL',
    when: 'userspace_addr is not a multiple of 4 KiB, or the range is not all of user space',
    remedy: 'give the address of a mapping of the process, as mmap() answered it',
  },
});

const offset = checksIn(`${kvmMain}, kvm_set_memory_region()`, {
  'memory-region.memfd-offset': {
    errno: 'EINVAL',
    when: 'guest_memfd_offset is not a multiple of 4 KiB, or the range wraps',
    remedy: wholePages,
  },
});

const place = checksIn(`${kvmMain}, kvm_set_memory_region()`, {
  'memory-region.address-space': {
    errno: 'EINVAL',
    when: 'the VM has no such address space: a TD has only number 0',
    remedy: 'use address space 0: a TD has no SMM',
  },
  'memory-region.address-wraps': {
    errno: 'EINVAL',
    when: 'the range of guest addresses wraps',
    remedy: 'end every slot below 2^64',
  },
  'memory-region.too-large': {
    errno: 'EINVAL',
    when: 'the slot has 2^31 pages (8 TiB) or more',
    remedy: 'split the memory into several slots',
  },
  'memory-region.slot-missing': {
    errno: 'EINVAL',
    when: 'a slot is deleted (memory_size is 0) that is not there',
    remedy: 'delete only slots that were set',
  },
  'memory-region.slot-changed': {
    errno: 'EINVAL',
    when: 'a slot with a guest_memfd is changed instead of deleted, or another slot is to get one',
    remedy: 'delete the old slot first (memory_size 0), then set the new one',
  },
  'memory-region.slot-differs': {
    errno: 'EINVAL',
    when: 'an existing slot is given another user address, size or KVM_MEM_READONLY',
    remedy: 'delete the old slot first (memory_size 0), then set the new one',
  },
  'memory-region.overlap': {
    errno: 'EEXIST',
    when: 'the guest addresses overlap another slot',
    remedy: 'delete the other slot first (memory_size 0), or use other addresses',
  },
});

const memfd = checksIn('virt/kvm/guest_memfd.c, kvm_gmem_prepare_memory_region()', {
  'memory-region.memfd-closed': {
    errno: 'EBADF',
    when: 'guest_memfd is no open descriptor',
    remedy: 'keep the guest_memfd open until the slot is set',
  },
  'memory-region.no-memfd': {
    errno: 'EINVAL',
    when: 'the descriptor is none of a guest_memfd',
    remedy: 'pass what KVM_CREATE_GUEST_MEMFD answered',
  },
  'memory-region.memfd-of-other-vm': {
    errno: 'EINVAL',
    when: 'the guest_memfd was created by another VM',
    remedy: 'create it on the VM that is to have it',
  },
  'memory-region.memfd-too-small': {
    errno: 'EINVAL',
    when: 'the slot reaches beyond the end of the guest_memfd',
    remedy: 'create the guest_memfd as large as the memory that it is for',
  },
});

const address = checksIn('arch/x86/kvm/x86.c, kvm_arch_prepare_memory_region()', {
  'memory-region.address-range': {
    errno: 'EINVAL',
    when: 'the last page is beyond the addresses of a guest, or has the shared bit of the TD',
    remedy: 'keep memory below the shared bit: 2^47, or 2^51 with 52-bit guest addresses',
  },
});

const binding = checksIn('virt/kvm/guest_memfd.c, kvm_gmem_commit_memory_region()', {
  'memory-region.memfd-taken': {
    errno: 'EEXIST',
    when: 'the part of the guest_memfd belongs to another slot',
    remedy: 'give each slot a part of its own',
  },
});

export const memoryRegionChecks = {
  /** The older request: its struct has no guest_memfd. */
  KVM_SET_USER_MEMORY_REGION: {
    ...before,
    ...checksIn(`${kvmMain}, kvm_vm_ioctl()`, {
      'memory-region.newer-flag': {
        errno: 'EINVAL',
        when: 'a flag other than KVM_MEM_LOG_DIRTY_PAGES and KVM_MEM_READONLY',
        remedy: 'use KVM_SET_USER_MEMORY_REGION2 for memory with a guest_memfd',
      },
    }),
    ...shape,
    ...place,
    ...noMemory,
    ...address,
  },
  KVM_SET_USER_MEMORY_REGION2: {
    ...before,
    ...shape,
    ...offset,
    ...place,
    ...noMemory,
    ...memfd,
    ...address,
    ...binding,
  },
};
