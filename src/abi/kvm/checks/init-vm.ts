/** KVM_TDX_INIT_VM, and KVM_CREATE_VM where that takes the key slot. */
import { checksIn } from './check.ts';
import { lockedVmCommandChecks, writtenBackChecks } from './tdx-command.ts';

const tdx = 'arch/x86/kvm/vmx/tdx.c';
const fromCapabilities = 'take only what KVM_TDX_CAPABILITIES of the host lists';
const clearStruct = 'clear the whole struct before it is filled';
const lookAtLog = 'look up the SEAMCALL line of the kernel log: `dmesg | tdctl explain -`';
const tryAgain = 'repeat it after a pause, for some seconds at most';

const struct = checksIn(`${tdx}, tdx_td_init()`, {
  'init-vm.done-already': {
    errno: 'EINVAL',
    when: 'the TD is initialised already',
    remedy: 'initialise a TD once; another one needs another KVM_CREATE_VM',
  },
  'init-vm.flags': {
    errno: 'EINVAL',
    when: 'flags of the command is not 0',
    remedy: 'pass 0 in flags',
  },
  'init-vm.nent-unreadable': {
    errno: 'EFAULT',
    when: 'cpuid.nent is unreadable',
    remedy: 'pass the address of a whole struct kvm_tdx_init_vm in data',
  },
  'init-vm.too-many-cpuid-entries': {
    errno: 'E2BIG',
    when: 'cpuid.nent is above 256',
    remedy: 'send only the entries that KVM_TDX_CAPABILITIES lists as configurable',
  },
  'init-vm.no-memory-to-copy': {
    errno: 'ENOMEM',
    when: 'there is no memory to copy struct kvm_tdx_init_vm',
    remedy: 'free memory, or raise the limit of the memory cgroup',
  },
  'init-vm.struct-unreadable': {
    errno: 'EFAULT',
    when: 'struct kvm_tdx_init_vm is unreadable',
    remedy: 'pass the address of a whole struct kvm_tdx_init_vm in data',
  },
  'init-vm.reserved': {
    errno: 'EINVAL',
    when: 'a reserved field of struct kvm_tdx_init_vm is not 0',
    remedy: clearStruct,
  },
  'init-vm.cpuid-padding': {
    errno: 'EINVAL',
    when: 'cpuid.padding is not 0',
    remedy: clearStruct,
  },
  'init-vm.nent-changed': {
    errno: 'EINVAL',
    when: 'cpuid.nent changed between the two times it was read',
    remedy: 'leave the struct alone until the request has answered',
  },
  'init-vm.no-memory-for-params': {
    errno: 'ENOMEM',
    when: 'there is no memory for TD_PARAMS',
    remedy: 'free memory, or raise the limit of the memory cgroup',
  },
});

const params = checksIn(`${tdx}, setup_tdparams()`, {
  'init-vm.vcpus-exist': {
    errno: 'EBUSY',
    when: 'vCPUs were created before KVM_TDX_INIT_VM',
    remedy: 'initialise the TD before its first vCPU',
  },
  'init-vm.attributes': {
    errno: 'EINVAL',
    when: 'attributes has a bit that KVM does not support on this host',
    remedy: fromCapabilities,
  },
  'init-vm.xfam': {
    errno: 'EINVAL',
    when: 'xfam has a bit that KVM does not support on this host',
    remedy: fromCapabilities,
  },
  'init-vm.address-width': {
    errno: 'EINVAL',
    when: 'CPUID 80000008h is missing, or its EAX[23:16] is neither 48 nor 52',
    remedy: 'add an entry for 80000008h with 48 or 52 in EAX[23:16]',
    source: `${tdx}, setup_tdparams_eptp_controls()`,
  },
  'init-vm.no-5-level-ept': {
    errno: 'EINVAL',
    when: 'EAX[23:16] of CPUID 80000008h is 52 on a host without 5-level EPT',
    remedy: 'ask for 48 guest address bits',
    source: `${tdx}, setup_tdparams_eptp_controls()`,
  },
  'init-vm.cpuid-forbidden': {
    errno: 'EINVAL',
    when: 'CPUID 7.0 asks for HLE, RTM or WAITPKG, which KVM gives to no TD',
    remedy: 'clear HLE, RTM and WAITPKG',
    source: `${tdx}, setup_tdparams_cpuids()`,
  },
  'init-vm.cpuid-unmatched': {
    errno: 'EINVAL',
    when: 'a CPUID entry is not configurable, not known, or given twice',
    remedy:
      'send one entry for each leaf that KVM_TDX_CAPABILITIES of the host lists, and no other',
    source: `${tdx}, setup_tdparams_cpuids()`,
  },
});

/** From the key slot to a TD in the module that has its keys and its TDCS. */
export const buildTdChecks = checksIn(`${tdx}, __tdx_td_init()`, {
  'init-vm.no-key-slot': {
    errno: 'ENOSPC',
    when: 'every key slot (HKID) of the host is taken',
    remedy: 'stop a TD, or wait for one that is being torn down; `tdctl host` shows the slots',
  },
  'init-vm.cgroup-limit': {
    errno: 'EBUSY',
    when: 'the misc cgroup of the caller, or one above it, is at its limit for `tdx`',
    remedy: 'raise misc.max of the cgroup, or run from another one',
    leaves: 'the key slot is given back; the usage of the cgroup is one too low from then on',
    source: `${tdx}, __tdx_td_init() and kernel/cgroup/misc.c, misc_cg_try_charge()`,
  },
  'init-vm.no-memory-for-td': {
    errno: 'ENOMEM',
    when: 'there is no memory for the control pages of the TD',
    remedy: 'free memory, or raise the limit of the memory cgroup',
  },
  'init-vm.package-offline': {
    errno: 'EIO',
    when: 'all CPUs of a package are offline',
    remedy: 'bring a CPU of every package online, and repeat it',
  },
  'init-vm.create-no-entropy': {
    errno: 'EAGAIN',
    when: 'TDH.MNG.CREATE found no entropy',
    remedy: tryAgain,
  },
  'init-vm.create-refused': {
    errno: 'EIO',
    when: 'TDH.MNG.CREATE failed',
    remedy: lookAtLog,
    vmDead: true,
  },
  'init-vm.key-config-refused': {
    errno: 'EIO',
    when: 'TDH.MNG.KEY.CONFIG failed on a package',
    remedy: lookAtLog,
    vmDead: true,
    source: `${tdx}, tdx_do_tdh_mng_key_config()`,
  },
  'init-vm.addcx-no-entropy': {
    errno: 'EAGAIN',
    when: 'TDH.MNG.ADDCX found no entropy',
    remedy: tryAgain,
  },
  'init-vm.addcx-refused': {
    errno: 'EIO',
    when: 'TDH.MNG.ADDCX failed',
    remedy: lookAtLog,
    vmDead: true,
  },
});

const initialize = checksIn(`${tdx}, __tdx_td_init()`, {
  'init-vm.module-refused-operand': {
    errno: 'EINVAL',
    when: 'TDH.MNG.INIT refused an operand of TD_PARAMS, which hw_error names',
    remedy: 'look up the status: `tdctl explain` with the hw_error of the command',
    hwError: 'module-status',
  },
  'init-vm.module-failed': {
    errno: 'EIO',
    when: 'TDH.MNG.INIT failed for another reason than an operand',
    remedy: lookAtLog,
    vmDead: true,
  },
});

export const initVmChecks = {
  ...lockedVmCommandChecks,
  ...struct,
  ...params,
  ...buildTdChecks,
  ...initialize,
  ...writtenBackChecks,
};

const v9 = '[PATCH v9 020/105] KVM: TDX: initialize VM with TDX specific parameters';
const seedThread = 'seed thread of October 2022 on [PATCH v9 016/105]';

/** What patch series and proposals have besides, or in place of a row above. */
export const otherInitVmChecks = checksIn(v9, {
  'init-vm.too-many-for-struct': {
    errno: 'EINVAL',
    when: 'cpuid.nent is above the 405 entries that the struct of 16384 bytes has room for',
    remedy: 'send only the entries that KVM_TDX_CAPABILITIES lists as configurable',
  },
  'init-vm.max-vcpus-too-large': {
    errno: 'EINVAL',
    when: 'max_vcpus of struct kvm_tdx_init_vm is above KVM_MAX_VCPUS',
    remedy:
      'name at most as many vCPUs as KVM_CAP_MAX_VCPUS on /dev/kvm says; a VMM for a kernel without the field has something else there',
  },
  'init-vm.max-vcpus-mismatch': {
    errno: 'EINVAL',
    when: 'max_vcpus of struct kvm_tdx_init_vm is not what KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS) has set',
    remedy: 'pass in max_vcpus what was given to KVM_CAP_MAX_VCPUS',
    source: `${seedThread}, option 1.a`,
  },
  'init-vm.max-vcpus-too-small': {
    errno: 'EINVAL',
    when: 'more vCPUs exist than max_vcpus of struct kvm_tdx_init_vm names',
    remedy: 'name in max_vcpus at least as many vCPUs as were created',
    source: `${seedThread}, option 2`,
  },
  'init-vm.no-key-slot-yet': {
    errno: 'EBUSY',
    when: 'every key slot (HKID) of the host is taken',
    remedy: 'stop a TD, or wait for one that is being torn down; `tdctl host` shows the slots',
    source: "Intel's series up to v7, June 2022, where KVM_CREATE_VM takes the key slot",
  },
  'init-vm.create-refused-alive': {
    errno: 'EIO',
    when: 'TDH.MNG.CREATE failed; the VM lives, and the request may be repeated',
    remedy: lookAtLog,
    source: `${tdx} of Linux 6.16, __tdx_td_init()`,
  },
});
