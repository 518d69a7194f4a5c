/** Leaves that make a TD. */
import { leafChecksIn } from './check.ts';
import {
  keysNotConfigured,
  opState,
  pageChecks,
  tdFatal,
  tdInitialisedOrRunnable,
  tdUninitialised,
} from './common.ts';

const folder = 'src/vmm_dispatcher/api_calls';
const helpers = 'src/common/helpers/helpers.c';

export const mngCreateChecks = {
  ...pageChecks('page', 'RCX'),
  ...leafChecksIn(`${folder}/tdh_mng_create.c, tdh_mng_create()`, {
    'mng-create.hkid-not-private': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'RDX',
      when: 'the number is not that of a private key ID',
    },
    'mng-create.hkid-not-free': {
      status: 'TDX_HKID_NOT_FREE',
      when: "the key ID is another TD's, is not written back yet, or is the module's own",
    },
  }),
};

export const mngKeyConfigChecks = {
  ...pageChecks('tdr', 'RCX'),
  ...tdFatal,
  ...leafChecksIn(`${folder}/tdh_mng_key_config.c, tdh_mng_key_config()`, {
    'mng-key-config.wrong-lifecycle': {
      status: 'TDX_LIFECYCLE_STATE_INCORRECT',
      when: 'every package has configured the key, or the teardown of the TD has begun',
    },
    'mng-key-config.done-already': {
      status: 'TDX_KEY_CONFIGURED',
      when: 'this package has configured the key, and others have not',
    },
  }),
};

export const mngAddcxChecks = {
  ...pageChecks('tdr', 'RDX'),
  ...tdFatal,
  ...keysNotConfigured,
  ...leafChecksIn(`${folder}/tdh_mng_addcx.c, tdh_mng_addcx()`, {
    'mng-addcx.too-many': {
      status: 'TDX_TDCX_NUM_INCORRECT',
      when: 'the TD has all the TDCX pages that this release takes',
    },
  }),
  'td.initialised': opState['td.initialised'],
  'td.finalised': opState['td.finalised'],
  ...pageChecks('page', 'RCX'),
};

/** What is wrong with TD_PARAMS, in the order of read_and_set_td_configurations(). */
export const tdParamsChecks = leafChecksIn(
  `${folder}/tdh_mng_init.c, read_and_set_td_configurations()`,
  {
    'mng-init.attributes': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'ATTRIBUTES',
      when: 'ATTRIBUTES has a bit that this release or the CPU lacks, or MIGRATABLE with DEBUG or PERFMON',
      remedy:
        'compare spec.attributes with what this module release allows; leave out what is not needed',
      source: `${helpers}, verify_td_attributes()`,
    },
    'mng-init.xfam': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'XFAM',
      when: 'XFAM has a bit that the CPU lacks, lacks one that is always on, or has a feature in part',
      remedy: 'leave spec.xfam out to take what the host offers',
      source: `${helpers}, check_xfam()`,
    },
    'mng-init.max-vcpus': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'MAX_VCPUS',
      when: 'MAX_VCPUS is 0, or above MAX_VCPUS_PER_TD of this release',
      remedy: '`tdctl host` shows the limits of this host and which one binds',
    },
    'mng-init.num-l2-vms': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'NUM_L2_VMS',
      when: 'NUM_L2_VMS is above 3',
      remedy: 'ask for at most 3; Linux never asks for any',
    },
    'mng-init.tdcs-of-l2-vms': {
      status: 'TDX_TDCS_NOT_ALLOCATED',
      when: 'the TD has not a TDCX page more for each L2 VM',
    },
    'mng-init.config-flags': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'EXEC_CONTROLS',
      when: 'CONFIG_FLAGS has a bit that this release does not know',
      remedy: 'update the BIOS, which brings a newer module',
      source: `${helpers}, verify_td_config_flags()`,
    },
    'mng-init.eptp-controls': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'EPTP_CONTROLS',
      when: 'EPTP_CONTROLS is no walk of 4 or 5 levels, or one that the CPU or GPAW does not allow',
      remedy: 'choose 48 guest address bits (CPUID 80000008h EAX[23:16], spec.gpaw)',
      source: `${helpers}, verify_and_set_td_eptp_controls()`,
    },
    'mng-init.tsc-frequency': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'TSC_FREQUENCY',
      when: 'TSC_FREQUENCY is not between 100 MHz and 10 GHz',
      remedy: 'choose spec.tscKhz in that range, in steps of 25 000 kHz, or leave it out',
    },
    'mng-init.reserved': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'RDX',
      when: 'a reserved field of TD_PARAMS is not 0',
    },
    'mng-init.cpuid-config': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'CPUID_CONFIG',
      when: 'CPUID_CONFIG sets a bit that cannot be chosen, or names another CPU model; RCX has the leaf',
      remedy: 'compare the CPUID of the VMM with the configurable leaves of KVM_TDX_CAPABILITIES',
    },
    'mng-init.cpuid-topology': {
      status: 'TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED',
      when: 'CPUID_CONFIG has a topology (leaf 1fh) whose levels are not in order, or that lacks the cores',
      remedy:
        'number the levels of CPUID 1Fh from 0, threads before cores, or leave all of them 0 for the topology of the host',
      onlyWith: 'TOPOLOGY_ENUM',
      source: `${helpers}, check_cpuid_1f_and_compute_cpuid_0b()`,
    },
    'mng-init.cpuid-tail': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'RDX',
      when: 'CPUID_CONFIG is not 0 beyond the configurable leaves of this release',
    },
    'mng-init.arch-capabilities': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'IA32_ARCH_CAPABILITIES_CONFIG',
      when: 'IA32_ARCH_CAPABILITIES_CONFIG is not 0, and MSR_CONFIG_CTLS does not say that it is valid',
      remedy: 'leave it out; Linux never sets it',
    },
    'mng-init.migratable-with-l2-vms': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'RDX',
      when: 'a TD that may migrate has L2 VMs',
      onlyWithout: 'PARTITIONED_TD_MIGRATION',
    },
  },
);

export const mngInitChecks = {
  ...pageChecks('tdr', 'RCX'),
  ...tdUninitialised,
  ...tdParamsChecks,
};

export const mngRdChecks = {
  ...pageChecks('tdr', 'RCX'),
  ...tdInitialisedOrRunnable,
  ...leafChecksIn(`${folder}/tdh_mng_rd.c, tdh_mng_rd()`, {
    'mng-rd.not-readable': {
      status: 'TDX_METADATA_FIELD_NOT_READABLE',
      when: 'the field is none that the host may read',
    },
  }),
};
