/** CPUID: what KVM offers, and what a vCPU is given. */
import { checksIn, E2BIG, EFAULT, EINVAL, EPERM } from './check.ts';
import { noMemory, unreadable, unwritable, vcpuChecks } from './common.ts';

const cpuid = 'arch/x86/kvm/cpuid.c';

const listChecks = checksIn(`${cpuid}, kvm_dev_ioctl_get_cpuid()`, {
  'cpuid-list.no-room': E2BIG('nent is 0', 'leave room for entries, 256 are always enough'),
  'cpuid-list.padding': EINVAL(
    'the padding of an entry is not 0, or cannot be read',
    'clear the whole struct, entries too',
    { source: `${cpuid}, sanity_check_entries()` },
  ),
  'cpuid-list.too-small': E2BIG(
    'the list is longer than the room that nent leaves for it; its length is not told',
    'ask again with more room, at most for 256 entries',
  ),
});

export const cpuidListChecks = {
  KVM_GET_SUPPORTED_CPUID: {
    ...unreadable,
    'cpuid-list.no-room': listChecks['cpuid-list.no-room'],
    ...noMemory,
    'cpuid-list.too-small': listChecks['cpuid-list.too-small'],
    ...unwritable,
  },
  KVM_GET_EMULATED_CPUID: {
    ...unreadable,
    'cpuid-list.no-room': listChecks['cpuid-list.no-room'],
    'cpuid-list.padding': listChecks['cpuid-list.padding'],
    ...noMemory,
    'cpuid-list.too-small': listChecks['cpuid-list.too-small'],
    ...unwritable,
  },
};

export const vcpuCpuidChecks = {
  KVM_SET_CPUID2: {
    ...vcpuChecks,
    ...unreadable,
    ...checksIn(`${cpuid}, kvm_vcpu_ioctl_set_cpuid2()`, {
      'set-cpuid.too-many': E2BIG(
        'there are more than 256 CPUID entries',
        'send the entries that KVM_GET_SUPPORTED_CPUID lists, once each',
      ),
      ...noMemory,
      'set-cpuid.entries-unreadable': EFAULT(
        'the entries are unreadable',
        'pass as many entries as nent says, right behind the header',
      ),
      'set-cpuid.changed-after-run': EINVAL(
        'the vCPU has run, and the entries are not those that it has',
        'set the CPUID before the first KVM_RUN of the vCPU',
        { source: `${cpuid}, kvm_cpuid_check_equal()` },
      ),
      'set-cpuid.address-width': EINVAL(
        'linear addresses have neither 48 nor 57 bits (leaf 80000008h, EAX bits 15 to 8)',
        'start from KVM_GET_SUPPORTED_CPUID and take bits away',
        { source: `${cpuid}, kvm_check_cpuid()` },
      ),
      'set-cpuid.dynamic-xstate': EPERM(
        'leaf Dh has AMX tile data (EAX bit 18), for which the process has no permission on this host',
        'start from KVM_GET_SUPPORTED_CPUID, after arch_prctl(ARCH_REQ_XCOMP_GUEST_PERM) where the host has AMX',
        { source: `${cpuid}, kvm_check_cpuid()` },
      ),
    }),
  },
  KVM_GET_CPUID2: {
    ...vcpuChecks,
    ...unreadable,
    ...checksIn(`${cpuid}, kvm_vcpu_ioctl_get_cpuid2()`, {
      'get-cpuid2.too-small': E2BIG(
        'the vCPU has more entries than nent leaves room for; their number is not told',
        'ask with room for as many entries as KVM_SET_CPUID2 gave it',
      ),
    }),
    ...unwritable,
  },
};
