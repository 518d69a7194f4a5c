/** Rows that many leaves have: the pages they are given, the state of the TD, the guest address. */
import type { OperandName } from '../status.ts';
import { type LeafCheck, leafChecksIn } from './check.ts';

const helpers = 'src/common/helpers/helpers.c';

const pages = {
  tdr: { page: 'the TDR', wrongType: 'the page is not the TDR of a TD' },
  tdvpr: { page: 'the TDVPR', wrongType: 'the page is not the TDVPR of a vCPU' },
  page: { page: 'the given page', wrongType: "the given page is not the host's own (PT_NDA)" },
};

/** A page that is given to the module, with dynamic PAMT on. */
function noPamt(operand: OperandName) {
  return leafChecksIn('src/memory_handlers/pamt_manager.c, pamt_walk()', {
    'page.no-pamt': {
      status: 'TDX_MISSING_PAMT_PAGE_PAIR',
      operand,
      when: 'dynamic PAMT is on, and the 2 MiB around the page have no pages for their metadata',
      onlyWith: 'DYNAMIC_PAMT',
    },
  });
}

/** The rows of a page that the host gives. */
export function givenPageChecks(operand: OperandName) {
  const { 'page.wrong-type': wrongType, ...address } = pageChecks('page', operand);
  return { ...address, ...noPamt(operand), 'page.wrong-type': wrongType };
}

/** A page operand: `tdr` and `tdvpr` name what is there, `page` is given to the module. */
export function pageChecks<Kind extends keyof typeof pages>(kind: Kind, operand: OperandName) {
  const { page, wrongType } = pages[kind];
  return leafChecksIn(`${helpers}, non_shared_hpa_metadata_check_and_lock()`, {
    [`${kind}.unaligned`]: {
      status: 'TDX_OPERAND_INVALID',
      operand,
      when: `the address of ${page} is not a multiple of 4 KiB`,
    },
    [`${kind}.out-of-range`]: {
      status: 'TDX_OPERAND_ADDR_RANGE_ERROR',
      operand,
      when: `the address of ${page} lies in no memory that the module manages (TDMR)`,
    },
    [`${kind}.wrong-type`]: {
      status: 'TDX_PAGE_METADATA_INCORRECT',
      operand,
      when: wrongType,
    },
  }) as Readonly<Record<`${Kind}.${'unaligned' | 'out-of-range' | 'wrong-type'}`, LeafCheck>>;
}

const buildState = `${helpers}, check_td_in_correct_build_state()`;

export const tdFatal = leafChecksIn(buildState, {
  'td.fatal': {
    status: 'TDX_TD_FATAL',
    when: 'the TD has met a fatal error, and can only be torn down',
    remedy: 'end the TD and start it again',
  },
});

export const keysNotConfigured = leafChecksIn(buildState, {
  'td.keys-not-configured': {
    status: 'TDX_TD_KEYS_NOT_CONFIGURED',
    when: 'a package has not configured the key of the TD yet, or its teardown has begun',
  },
});

/** Before OP_STATE is looked at. */
const tdBuilt = {
  ...tdFatal,
  ...keysNotConfigured,
  ...leafChecksIn(buildState, {
    'td.tdcs-not-allocated': {
      status: 'TDX_TDCS_NOT_ALLOCATED',
      when: 'the TD has fewer TDCX pages than this release needs',
    },
  }),
};

/** OP_STATE: a leaf has the rows of the states in which it is refused. */
export const opState = leafChecksIn('include/auto_gen/op_state_lookup.c', {
  'td.not-initialised': {
    status: 'TDX_OP_STATE_INCORRECT',
    statusOf1Dot0: 'TDX_TD_NOT_INITIALIZED',
    when: 'TDH.MNG.INIT has not been done',
  },
  'td.initialised': {
    status: 'TDX_OP_STATE_INCORRECT',
    statusOf1Dot0: 'TDX_TD_INITIALIZED',
    when: 'TDH.MNG.INIT has been done',
  },
  'td.not-finalised': {
    status: 'TDX_OP_STATE_INCORRECT',
    statusOf1Dot0: 'TDX_TD_NOT_FINALIZED',
    when: 'TDH.MR.FINALIZE has not been done',
  },
  'td.finalised': {
    status: 'TDX_OP_STATE_INCORRECT',
    statusOf1Dot0: 'TDX_TD_FINALIZED',
    when: 'TDH.MR.FINALIZE has been done',
  },
});

function states<Name extends keyof typeof opState>(...names: readonly Name[]) {
  const rows = Object.fromEntries(names.map((name) => [name, opState[name]]));
  return { ...tdBuilt, ...(rows as Pick<typeof opState, Name>) };
}

export const tdUninitialised = states('td.initialised', 'td.finalised');
export const tdInitialised = states('td.not-initialised', 'td.finalised');
export const tdRunnable = states('td.not-initialised', 'td.not-finalised');
export const tdInitialisedOrRunnable = states('td.not-initialised');

export const vcpuState = leafChecksIn('the leaf itself', {
  'vcpu.initialised': {
    status: 'TDX_VCPU_STATE_INCORRECT',
    when: 'TDH.VP.INIT has been done on the vCPU',
  },
  'vcpu.not-initialised': {
    status: 'TDX_VCPU_STATE_INCORRECT',
    when: 'TDH.VP.INIT has not been done on the vCPU',
  },
});

/** RCX: a guest physical address, with a level of the secure EPT in its lowest bits. */
export const gpaChecks = leafChecksIn(`${helpers}, verify_page_info_input()`, {
  'gpa.level': {
    status: 'TDX_OPERAND_INVALID',
    operand: 'RCX',
    when: 'the level is none that the leaf takes',
  },
  'gpa.not-private': {
    status: 'TDX_OPERAND_INVALID',
    operand: 'RCX',
    when: 'the guest address is shared, unaligned to its level, or beyond the address width of the TD',
    remedy: 'check the addresses of the sections: `tdctl measure FIRMWARE`',
  },
});

export const septChecks = leafChecksIn(
  'src/common/helpers/helpers.c, lock_sept_check_and_walk_private_gpa()',
  {
    'sept.no-table': {
      status: 'TDX_EPT_WALK_FAILED',
      operand: 'RCX',
      when: 'the secure EPT has no table for the address at this level',
    },
    'sept.entry-taken': {
      status: 'TDX_EPT_ENTRY_STATE_INCORRECT',
      operand: 'RCX',
      when: 'the entry of the secure EPT is in use',
    },
  },
);
