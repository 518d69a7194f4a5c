/** Lists, values and filters of MSRs. */
import { checksIn, E2BIG, EFAULT, EINVAL } from './check.ts';
import { noMemory, unreadable, unwritable, vcpuChecks, vmChecks } from './common.ts';

const msrs = 'arch/x86/kvm/msrs.c';

const leaves = 'nmsrs is the number of MSRs';

/** KVM_GET_MSR_INDEX_LIST and KVM_GET_MSR_FEATURE_INDEX_LIST. */
export const msrIndexListChecks = {
  ...unreadable,
  ...unwritable,
  ...checksIn(`${msrs}, kvm_get_msr_index_list() and kvm_get_feature_msr_index_list()`, {
    'msr-index-list.too-small': E2BIG(
      'there are more MSRs than nmsrs has room for',
      'ask again with as many as nmsrs says now',
      { leaves },
    ),
    'msr-index-list.indices-unwritable': EFAULT(
      'the indices cannot be written',
      'pass memory for as many indices as nmsrs says',
      { leaves },
    ),
  }),
};

/** An MSR that is refused is no error of the request: its answer is the number of those before it. */
export const setMsrsChecks = {
  ...unreadable,
  ...checksIn(`${msrs}, msr_io()`, {
    'msrs.too-many': E2BIG('there are 256 entries or more', 'ask for at most 255 at a time'),
    ...noMemory,
    'msrs.entries-unreadable': EFAULT(
      'the entries are unreadable',
      'pass as many entries as nmsrs says, right behind the header',
    ),
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
    'msr-filter.flags': EINVAL('a flag but KVM_MSR_FILTER_DEFAULT_DENY', 'pass no other flag'),
    'msr-filter.denies-all': EINVAL(
      'DEFAULT_DENY is set, and there is no range',
      'name at least one range of MSRs that stay allowed',
    ),
    ...noMemory,
  }),
  ...checksIn(`${msrs}, kvm_add_msr_filter()`, {
    'msr-filter.range-flags': EINVAL(
      'the flags of a range are neither READ nor WRITE nor both',
      'say of each range whether reads or writes are filtered',
    ),
    'msr-filter.range-size': EINVAL(
      'the bitmap of a range is longer than 1536 bytes',
      'split the range: at most 12288 MSRs each',
    ),
    'msr-filter.bitmap-unreadable': EFAULT(
      'the bitmap of a range is unreadable',
      'pass a bit for each MSR of the range, in whole units of 8 bytes',
    ),
  }),
};
