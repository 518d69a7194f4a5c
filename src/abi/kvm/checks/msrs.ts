/** Lists, values and filters of MSRs. */
import { checksIn } from './check.ts';
import { noMemory, unreadable, unwritable, vcpuChecks, vmChecks } from './common.ts';

const msrs = 'arch/x86/kvm/msrs.c';

const leaves = 'nmsrs is the number of MSRs';

/** KVM_GET_MSR_INDEX_LIST and KVM_GET_MSR_FEATURE_INDEX_LIST. */
export const msrIndexListChecks = {
  ...unreadable,
  ...unwritable,
  ...checksIn(`${msrs}, kvm_get_msr_index_list() and kvm_get_feature_msr_index_list()`, {
    'msr-index-list.too-small': {
      errno: 'E2BIG',
      when: 'there are more MSRs than nmsrs has room for',
      remedy: 'ask again with as many as nmsrs says now',
      leaves,
    },
    'msr-index-list.indices-unwritable': {
      errno: 'EFAULT',
      when: 'the indices cannot be written',
      remedy: 'pass memory for as many indices as nmsrs says',
      leaves,
    },
  }),
};

/** An MSR that is refused is no error of the request: its answer is the number of those before it. */
export const setMsrsChecks = {
  ...unreadable,
  ...checksIn(`${msrs}, msr_io()`, {
    'msrs.too-many': {
      errno: 'E2BIG',
      when: 'there are 256 entries or more',
      remedy: 'ask for at most 255 at a time',
    },
    ...noMemory,
    'msrs.entries-unreadable': {
      errno: 'EFAULT',
      when: 'the entries are unreadable',
      remedy: 'pass as many entries as nmsrs says, right behind the header',
    },
  }),
};

export const getMsrsChecks = { ...setMsrsChecks, ...unwritable };

export const vcpuMsrsChecks = {
  KVM_GET_MSRS: { ...vcpuChecks, ...getMsrsChecks },
  KVM_SET_MSRS: { ...vcpuChecks, ...setMsrsChecks },
};

export const setMsrFilterChecks = {
  ...vmChecks,
  ...unreadable,
  ...checksIn(`${msrs}, kvm_vm_ioctl_set_msr_filter()`, {
    'msr-filter.flags': {
      errno: 'EINVAL',
      when: 'a flag but KVM_MSR_FILTER_DEFAULT_DENY',
      remedy: 'pass no other flag',
    },
    'msr-filter.denies-all': {
      errno: 'EINVAL',
      when: 'DEFAULT_DENY is set, and there is no range',
      remedy: 'name at least one range of MSRs that stay allowed',
    },
    ...noMemory,
  }),
  ...checksIn(`${msrs}, kvm_add_msr_filter()`, {
    'msr-filter.range-flags': {
      errno: 'EINVAL',
      when: 'the flags of a range are neither READ nor WRITE nor both',
      remedy: 'say of each range whether reads or writes are filtered',
    },
    'msr-filter.range-size': {
      errno: 'EINVAL',
      when: 'the bitmap of a range is longer than 1536 bytes',
      remedy: 'split the range: at most 12288 MSRs each',
    },
    'msr-filter.bitmap-unreadable': {
      errno: 'EFAULT',
      when: 'the bitmap of a range is unreadable',
      remedy: 'pass a bit for each MSR of the range, in whole units of 8 bytes',
    },
  }),
};
