/** KVM_TDX_INIT_VM, and KVM_CREATE_VM where that takes the key slot. */
import { checksIn, E2BIG, EAGAIN, EBUSY, EFAULT, EINVAL, EIO, ENOMEM, ENOSPC } from './check.ts';
import { lockedVmCommandChecks, writtenBackChecks } from './tdx-command.ts';

const tdx = 'arch/x86/kvm/vmx/tdx.c';
const fromCapabilities = 'take only what KVM_TDX_CAPABILITIES of the host lists';
const clearStruct = 'clear the whole struct before it is filled';
const lookAtLog = 'look up the SEAMCALL line of the kernel log: `dmesg | tdctl explain -`';
const tryAgain = 'repeat it after a pause, for some seconds at most';

const struct = checksIn(`${tdx}, tdx_td_init()`, {
  'init-vm.done-already': EINVAL(
    'the TD is initialised already',
    'initialise a TD once; another one needs another KVM_CREATE_VM',
  ),
  'init-vm.flags': EINVAL('flags of the command is not 0', 'pass 0 in flags'),
  'init-vm.nent-unreadable': EFAULT(
    'cpuid.nent is unreadable',
    'pass the address of a whole struct kvm_tdx_init_vm in data',
  ),
  'init-vm.too-many-cpuid-entries': E2BIG(
    'cpuid.nent is above 256',
    'send only the entries that KVM_TDX_CAPABILITIES lists as configurable',
  ),
  'init-vm.no-memory-to-copy': ENOMEM(
    'there is no memory to copy struct kvm_tdx_init_vm',
    'free memory, or raise the limit of the memory cgroup',
  ),
  'init-vm.struct-unreadable': EFAULT(
    'struct kvm_tdx_init_vm is unreadable',
    'pass the address of a whole struct kvm_tdx_init_vm in data',
  ),
  'init-vm.reserved': EINVAL('a reserved field of struct kvm_tdx_init_vm is not 0', clearStruct),
  'init-vm.cpuid-padding': EINVAL('cpuid.padding is not 0', clearStruct),
  'init-vm.nent-changed': EINVAL(
    'cpuid.nent changed between the two times it was read',
    'leave the struct alone until the request has answered',
  ),
  'init-vm.no-memory-for-params': ENOMEM(
    'there is no memory for TD_PARAMS',
    'free memory, or raise the limit of the memory cgroup',
  ),
});

const params = checksIn(`${tdx}, setup_tdparams()`, {
  'init-vm.vcpus-exist': EBUSY(
    'vCPUs were created before KVM_TDX_INIT_VM',
    'initialise the TD before its first vCPU',
  ),
  'init-vm.attributes': EINVAL(
    'attributes has a bit that KVM does not support on this host',
    fromCapabilities,
  ),
  'init-vm.xfam': EINVAL('xfam has a bit that KVM does not support on this host', fromCapabilities),
  'init-vm.address-width': EINVAL(
    'CPUID 80000008h is missing, or its EAX[23:16] is neither 48 nor 52',
    'add an entry for 80000008h with 48 or 52 in EAX[23:16]',
    { source: `${tdx}, setup_tdparams_eptp_controls()` },
  ),
  'init-vm.no-5-level-ept': EINVAL(
    'EAX[23:16] of CPUID 80000008h is 52 on a host without 5-level EPT',
    'ask for 48 guest address bits',
    { source: `${tdx}, setup_tdparams_eptp_controls()` },
  ),
  'init-vm.cpuid-forbidden': EINVAL(
    'CPUID 7.0 asks for HLE, RTM or WAITPKG, which KVM gives to no TD',
    'clear HLE, RTM and WAITPKG',
    { source: `${tdx}, setup_tdparams_cpuids()` },
  ),
  'init-vm.cpuid-unmatched': EINVAL(
    'a CPUID entry is not configurable, not known, or given twice',
    'send one entry for each leaf that KVM_TDX_CAPABILITIES of the host lists, and no other',
    { source: `${tdx}, setup_tdparams_cpuids()` },
  ),
});

/** From the key slot to a TD in the module that has its keys and its TDCS. */
export const buildTdChecks = checksIn(`${tdx}, __tdx_td_init()`, {
  'init-vm.no-key-slot': ENOSPC(
    'every key slot (HKID) of the host is taken',
    'stop a TD, or wait for one that is being torn down; `tdctl host` shows the slots',
  ),
  'init-vm.cgroup-limit': EBUSY(
    'the misc cgroup of the caller, or one above it, is at its limit for `tdx`',
    'raise misc.max of the cgroup, or run from another one',
    {
      leaves: 'the key slot is given back; the usage of the cgroup is one too low from then on',
      source: `${tdx}, __tdx_td_init() and kernel/cgroup/misc.c, misc_cg_try_charge()`,
    },
  ),
  'init-vm.no-memory-for-td': ENOMEM(
    'there is no memory for the control pages of the TD',
    'free memory, or raise the limit of the memory cgroup',
  ),
  'init-vm.package-offline': EIO(
    'all CPUs of a package are offline',
    'bring a CPU of every package online, and repeat it',
  ),
  'init-vm.create-no-entropy': EAGAIN('TDH.MNG.CREATE found no entropy', tryAgain),
  'init-vm.create-refused': EIO('TDH.MNG.CREATE failed', lookAtLog, { vmDead: true }),
  'init-vm.key-config-refused': EIO('TDH.MNG.KEY.CONFIG failed on a package', lookAtLog, {
    vmDead: true,
    source: `${tdx}, tdx_do_tdh_mng_key_config()`,
  }),
  'init-vm.addcx-no-entropy': EAGAIN('TDH.MNG.ADDCX found no entropy', tryAgain),
  'init-vm.addcx-refused': EIO('TDH.MNG.ADDCX failed', lookAtLog, { vmDead: true }),
});

const initialize = checksIn(`${tdx}, __tdx_td_init()`, {
  'init-vm.module-refused-operand': EINVAL(
    'TDH.MNG.INIT refused an operand of TD_PARAMS, which hw_error names',
    'look up the status: `tdctl explain` with the hw_error of the command',
    { hwError: 'module-status' },
  ),
  'init-vm.module-failed': EIO(
    'TDH.MNG.INIT failed for another reason than an operand',
    lookAtLog,
    { vmDead: true },
  ),
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
  'init-vm.too-many-for-struct': EINVAL(
    'cpuid.nent is above the 405 entries that the struct of 16384 bytes has room for',
    'send only the entries that KVM_TDX_CAPABILITIES lists as configurable',
  ),
  'init-vm.max-vcpus-too-large': EINVAL(
    'max_vcpus of struct kvm_tdx_init_vm is above KVM_MAX_VCPUS',
    'name at most as many vCPUs as KVM_CAP_MAX_VCPUS on /dev/kvm says; a VMM for a kernel without the field has something else there',
  ),
  'init-vm.max-vcpus-mismatch': EINVAL(
    'max_vcpus of struct kvm_tdx_init_vm is not what KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS) has set',
    'pass in max_vcpus what was given to KVM_CAP_MAX_VCPUS',
    { source: `${seedThread}, option 1.a` },
  ),
  'init-vm.max-vcpus-too-small': EINVAL(
    'more vCPUs exist than max_vcpus of struct kvm_tdx_init_vm names',
    'name in max_vcpus at least as many vCPUs as were created',
    { source: `${seedThread}, option 2` },
  ),
  'init-vm.no-key-slot-yet': EBUSY(
    'every key slot (HKID) of the host is taken',
    'stop a TD, or wait for one that is being torn down; `tdctl host` shows the slots',
    { source: "Intel's series up to v7, June 2022, where KVM_CREATE_VM takes the key slot" },
  ),
  'init-vm.create-refused-alive': EIO(
    'TDH.MNG.CREATE failed; the VM lives, and the request may be repeated',
    lookAtLog,
    { source: `${tdx} of Linux 6.16, __tdx_td_init()` },
  ),
});
