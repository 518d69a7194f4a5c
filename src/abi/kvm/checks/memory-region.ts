/** KVM_SET_USER_MEMORY_REGION and KVM_SET_USER_MEMORY_REGION2: a memory slot is made, changed or deleted. */
import { checksIn, EBADF, EEXIST, EINVAL } from './check.ts';
import { noMemory, unreadable, vmChecks } from './common.ts';

const kvmMain = 'virt/kvm/kvm_main.c';
const wholePages = 'use whole pages of 4 KiB';

const before = { ...vmChecks, ...unreadable };

const shape = checksIn(`${kvmMain}, kvm_set_memory_region()`, {
  'memory-region.slot-number': EINVAL(
    'the number of the slot is not below what KVM_CAP_NR_MEMSLOTS says',
    'number slots from 0',
    { source: `${kvmMain}, kvm_vm_ioctl_set_memory_region()` },
  ),
  'memory-region.flags': EINVAL(
    'a flag that the VM does not have (KVM_MEM_READONLY on a TD), or another beside KVM_MEM_GUEST_MEMFD',
    'give private memory no other flag, and a TD no read-only memory',
    { source: `${kvmMain}, check_memory_region_flags()` },
  ),
  'memory-region.size-unaligned': EINVAL('memory_size is not a multiple of 4 KiB', wholePages),
  'memory-region.address-unaligned': EINVAL(
    'guest_phys_addr is not a multiple of 4 KiB',
    wholePages,
  ),
  'memory-region.user-address': EINVAL(
    'userspace_addr is not a multiple of 4 KiB, or the range is not all of user space',
    'give the address of a mapping of the process, as mmap() answered it',
  ),
});

const offset = checksIn(`${kvmMain}, kvm_set_memory_region()`, {
  'memory-region.memfd-offset': EINVAL(
    'guest_memfd_offset is not a multiple of 4 KiB, or the range wraps',
    wholePages,
  ),
});

const place = checksIn(`${kvmMain}, kvm_set_memory_region()`, {
  'memory-region.address-space': EINVAL(
    'the VM has no such address space: a TD has only number 0',
    'use address space 0: a TD has no SMM',
  ),
  'memory-region.address-wraps': EINVAL(
    'the range of guest addresses wraps',
    'end every slot below 2^64',
  ),
  'memory-region.too-large': EINVAL(
    'the slot has 2^31 pages (8 TiB) or more',
    'split the memory into several slots',
  ),
  'memory-region.slot-missing': EINVAL(
    'a slot is deleted (memory_size is 0) that is not there',
    'delete only slots that were set',
  ),
  'memory-region.slot-changed': EINVAL(
    'a slot with a guest_memfd is changed instead of deleted, or another slot is to get one',
    'delete the old slot first (memory_size 0), then set the new one',
  ),
  'memory-region.slot-differs': EINVAL(
    'an existing slot is given another user address, size or KVM_MEM_READONLY',
    'delete the old slot first (memory_size 0), then set the new one',
  ),
  'memory-region.overlap': EEXIST(
    'the guest addresses overlap another slot',
    'delete the other slot first (memory_size 0), or use other addresses',
  ),
});

const memfd = checksIn('virt/kvm/guest_memfd.c, kvm_gmem_prepare_memory_region()', {
  'memory-region.memfd-closed': EBADF(
    'guest_memfd is no open descriptor',
    'keep the guest_memfd open until the slot is set',
  ),
  'memory-region.no-memfd': EINVAL(
    'the descriptor is none of a guest_memfd',
    'pass what KVM_CREATE_GUEST_MEMFD answered',
  ),
  'memory-region.memfd-of-other-vm': EINVAL(
    'the guest_memfd was created by another VM',
    'create it on the VM that is to have it',
  ),
  'memory-region.memfd-too-small': EINVAL(
    'the slot reaches beyond the end of the guest_memfd',
    'create the guest_memfd as large as the memory that it is for',
  ),
});

const address = checksIn('arch/x86/kvm/x86.c, kvm_arch_prepare_memory_region()', {
  'memory-region.address-range': EINVAL(
    'the last page is beyond the addresses of a guest, or has the shared bit of the TD',
    'keep memory below the shared bit: 2^47, or 2^51 with 52-bit guest addresses',
  ),
});

const binding = checksIn('virt/kvm/guest_memfd.c, kvm_gmem_commit_memory_region()', {
  'memory-region.memfd-taken': EEXIST(
    'the part of the guest_memfd belongs to another slot',
    'give each slot a part of its own',
  ),
});

export const memoryRegionChecks = {
  /** The older request: its struct has no guest_memfd. */
  KVM_SET_USER_MEMORY_REGION: {
    ...before,
    ...checksIn(`${kvmMain}, kvm_vm_ioctl()`, {
      'memory-region.newer-flag': EINVAL(
        'a flag other than KVM_MEM_LOG_DIRTY_PAGES and KVM_MEM_READONLY',
        'use KVM_SET_USER_MEMORY_REGION2 for memory with a guest_memfd',
      ),
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
