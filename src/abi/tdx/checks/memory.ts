/** Leaves on private memory and its measurement. */
import { leafChecksIn } from './check.ts';
import {
  givenPageChecks,
  gpaChecks,
  pageChecks,
  septChecks,
  tdInitialised,
  tdInitialisedOrRunnable,
  tdRunnable,
} from './common.ts';

const folder = 'src/vmm_dispatcher/api_calls';

const mapped = { ...gpaChecks, ...septChecks };

export const memSeptAddChecks = {
  ...pageChecks('tdr', 'RDX'),
  ...tdInitialisedOrRunnable,
  ...mapped,
  ...givenPageChecks('R8'),
};

export const memPageAddChecks = {
  ...pageChecks('tdr', 'RDX'),
  ...tdInitialised,
  ...mapped,
  ...leafChecksIn(`${folder}/tdh_mem_page_add.c, tdh_mem_page_add()`, {
    'mem-page-add.source': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'R9',
      when: 'the source is not a page of ordinary shared memory',
      remedy: 'give KVM_TDX_INIT_MEM_REGION ordinary memory of the VMM as its source',
    },
  }),
  ...givenPageChecks('R8'),
};

export const memPageAugChecks = {
  ...pageChecks('tdr', 'RDX'),
  ...tdRunnable,
  ...mapped,
  ...givenPageChecks('R8'),
};

const mrExtend = `${folder}/tdh_mr_extend.c, tdh_mr_extend()`;

export const mrExtendChecks = {
  ...pageChecks('tdr', 'RDX'),
  ...tdInitialised,
  ...leafChecksIn(mrExtend, {
    'mr-extend.unaligned': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'RCX',
      when: 'the guest address is not a multiple of 256',
    },
  }),
  'gpa.not-private': gpaChecks['gpa.not-private'],
  ...leafChecksIn(mrExtend, {
    'mr-extend.no-table': {
      status: 'TDX_EPT_ENTRY_NOT_PRESENT',
      operand: 'RCX',
      when: 'the secure EPT has no table for the address',
    },
    'mr-extend.no-page': {
      status: 'TDX_EPT_ENTRY_NOT_PRESENT',
      when: 'no page has been added at the address, or it is blocked',
    },
  }),
};

export const mrFinalizeChecks = {
  ...pageChecks('tdr', 'RCX'),
  ...tdInitialised,
  ...leafChecksIn(`${folder}/tdh_mr_finalize.c, tdh_mr_finalize()`, {
    'mr-finalize.no-vcpus': {
      status: 'TDX_NO_VCPUS',
      when: 'the TD has no vCPU on which TDH.VP.INIT was done',
      remedy: 'call KVM_TDX_INIT_VCPU on at least one vCPU before KVM_TDX_FINALIZE_VM',
    },
  }),
};

export const memRangeBlockChecks = {
  ...pageChecks('tdr', 'RDX'),
  ...tdInitialisedOrRunnable,
  ...gpaChecks,
  ...leafChecksIn(`${folder}/tdh_mem_range_block.c, tdh_mem_range_block()`, {
    'mem-range-block.no-page': {
      status: 'TDX_EPT_ENTRY_STATE_INCORRECT',
      operand: 'RCX',
      when: 'no page is mapped at the address',
    },
    'mem-range-block.done-already': {
      status: 'TDX_EPT_ENTRY_STATE_INCORRECT',
      operand: 'RCX',
      when: 'the page is blocked already',
    },
  }),
};

export const memTrackChecks = { ...pageChecks('tdr', 'RCX'), ...tdInitialisedOrRunnable };

export const memPageRemoveChecks = {
  ...pageChecks('tdr', 'RDX'),
  ...tdInitialisedOrRunnable,
  ...gpaChecks,
  ...leafChecksIn(`${folder}/tdh_mem_page_remove.c, tdh_mem_page_remove()`, {
    'mem-page-remove.not-blocked': {
      status: 'TDX_EPT_ENTRY_STATE_INCORRECT',
      operand: 'RCX',
      when: 'there is no page at the address that TDH.MEM.RANGE.BLOCK has blocked',
    },
    'mem-page-remove.not-tracked': {
      status: 'TDX_TLB_TRACKING_NOT_DONE',
      when: 'TDH.MEM.TRACK has not been done since the page was blocked',
    },
  }),
};
