/** Leaves on vCPUs. */
import { leafChecksIn } from './check.ts';
import {
  givenPageChecks,
  keysNotConfigured,
  pageChecks,
  tdInitialised,
  tdInitialisedOrRunnable,
  tdRunnable,
  vcpuState,
} from './common.ts';

const folder = 'src/vmm_dispatcher/api_calls';

const initialised = { 'vcpu.initialised': vcpuState['vcpu.initialised'] };
const notInitialised = { 'vcpu.not-initialised': vcpuState['vcpu.not-initialised'] };

export const vpCreateChecks = {
  ...pageChecks('tdr', 'RDX'),
  ...tdInitialised,
  ...givenPageChecks('RCX'),
};

export const vpAddcxChecks = {
  ...pageChecks('tdvpr', 'RDX'),
  ...tdInitialised,
  ...initialised,
  ...leafChecksIn(`${folder}/tdh_vp_addcx.c, tdh_vp_addcx()`, {
    'vp-addcx.too-many': {
      status: 'TDX_TDCX_NUM_INCORRECT',
      when: 'the vCPU has all the pages that this release takes',
    },
  }),
  ...givenPageChecks('RCX'),
};

const vpInit = `${folder}/tdh_vp_init.c, tdh_vp_init()`;

export const vpInitChecks = {
  ...pageChecks('tdvpr', 'RCX'),
  ...tdInitialised,
  ...leafChecksIn(vpInit, {
    'vp-init.too-few-pages': {
      status: 'TDX_TDCX_NUM_INCORRECT',
      when: 'the vCPU has fewer pages than this release needs',
    },
  }),
  ...initialised,
  ...leafChecksIn(vpInit, {
    'vp-init.max-vcpus': {
      status: 'TDX_MAX_VCPUS_EXCEEDED',
      when: 'the TD has as many vCPUs as MAX_VCPUS of its TD_PARAMS names',
      remedy: 'create no more vCPUs than the TD was initialised for',
    },
    'vp-init.x2apic-id-taken': {
      status: 'TDX_X2APIC_ID_NOT_UNIQUE',
      when: 'another vCPU of the TD has the x2APIC id',
      remedy: 'give each vCPU an id of its own',
      onlyWith: 'TOPOLOGY_ENUM',
    },
  }),
};

export const vpEnterChecks = {
  ...pageChecks('tdvpr', 'RCX'),
  ...tdRunnable,
  ...notInitialised,
  ...leafChecksIn(`${folder}/tdh_vp_enter.c, tdh_vp_enter()`, {
    'vp-enter.on-other-cpu': {
      status: 'TDX_VCPU_ASSOCIATED',
      when: 'another logical CPU holds the state of the vCPU',
    },
  }),
};

/** Looks at no OP_STATE. */
export const vpFlushChecks = {
  ...pageChecks('tdvpr', 'RCX'),
  ...keysNotConfigured,
  ...leafChecksIn(`${folder}/tdh_vp_flush.c, tdh_vp_flush()`, {
    'vp-flush.not-on-this-cpu': {
      status: 'TDX_VCPU_NOT_ASSOCIATED',
      when: 'this logical CPU does not hold the state of the vCPU',
    },
  }),
};

export const vpWrChecks = {
  ...pageChecks('tdvpr', 'RCX'),
  ...tdInitialisedOrRunnable,
  ...notInitialised,
};
