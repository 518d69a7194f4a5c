/** Many leaves look at these conditions: page operands, the state of the TD, guest addresses. */
import { pamtRegionBytes } from '../../abi/tdx/pamt.ts';
import { type Gpa, type Hpa, pageSize } from './addresses.ts';
import type { ModuleState } from './module-state.ts';
import type { InitializedTd, OpState, PageMetadata, PageType, Td, TdVcpu } from './states.ts';

/** The host gives the leaf a page of its own. */
export interface PageCall {
  readonly module: ModuleState;
  readonly page: Hpa;
}

/**
 * The leaf works on what a TDR or a TDVPR page names. Leaves write the object out field by field,
 * because one of TDH.MNG.RD took ten times as long when it was copied with `...` from another.
 */
export interface TdCall {
  readonly module: ModuleState;
  readonly handle: Hpa;
  /** Metadata of that page, once it was found to be one. */
  metadata: PageMetadata | undefined;
}

/** The leaf works on a guest address. */
export interface GpaCall extends TdCall {
  readonly gpa: Gpa;
  readonly level: number;
}

export function tdCall(module: ModuleState, handle: Hpa): TdCall {
  return { module, handle, metadata: undefined };
}

/** A GPA operand has its level in the three lowest bits. */
export function splitGpa(operand: number): { readonly gpa: Gpa; readonly level: number } {
  const level = operand % 8;
  return { gpa: operand - level, level };
}

export function tdOf({ metadata }: TdCall): Td {
  if (metadata === undefined) throw new Error('a leaf looks at the TD before its TDR or TDVPR');
  return metadata.owner;
}

export function vcpuOf({ metadata }: TdCall): TdVcpu {
  if (metadata?.vcpu === undefined) throw new Error('a TDVPR page without a vCPU');
  return metadata.vcpu;
}

/** Gives what TDH.MNG.INIT took. */
export function initializedOf(call: TdCall): InitializedTd {
  const { initialized } = tdOf(call);
  if (initialized === undefined) throw new Error('a TD that TDH.MNG.INIT never saw');
  return initialized;
}

export const pageSteps = {
  'page.unaligned': ({ page }: { readonly page: Hpa }) => isUnaligned(page),
  'page.out-of-range': ({ module, page }: PageCall) => page >= module.limits.memoryBytes,
  'page.no-pamt': ({ module: { pamtPairs }, page }: PageCall) =>
    pamtPairs !== undefined && !pamtPairs.has(Math.floor(page / pamtRegionBytes)),
  'page.wrong-type': ({ module, page }: PageCall) => module.pamt.has(page),
};

const tdSteps = {
  'td.fatal': (call: TdCall) => tdOf(call).fatal,
  'td.keys-not-configured': (call: TdCall) => tdOf(call).lifecycle !== 'KEYS_CONFIGURED',
  'td.tdcs-not-allocated': (call: TdCall) =>
    tdOf(call).tdcxPages < call.module.release.tdcxPages.base,
  'td.not-initialised': isIn('UNINITIALIZED'),
  'td.initialised': isIn('INITIALIZED'),
  'td.not-finalised': isIn('INITIALIZED'),
  'td.finalised': isIn('RUNNABLE'),
};

/** These conditions are for leaves that name a TD by its TDR. */
export const tdrSteps = {
  'tdr.unaligned': ({ handle }: TdCall) => isUnaligned(handle),
  'tdr.out-of-range': isOutOfRange,
  'tdr.wrong-type': isNot('TDR'),
  ...tdSteps,
};

/** These conditions are for leaves that name a vCPU by its TDVPR. */
export const tdvprSteps = {
  'tdvpr.unaligned': ({ handle }: TdCall) => isUnaligned(handle),
  'tdvpr.out-of-range': isOutOfRange,
  'tdvpr.wrong-type': isNot('TDVPR'),
  ...tdSteps,
  'vcpu.initialised': (call: TdCall) => vcpuOf(call).state !== 'UNINITIALIZED',
  'vcpu.not-initialised': (call: TdCall) => vcpuOf(call).state === 'UNINITIALIZED',
};

/** These conditions are for leaves on one page. Only 4 KiB pages are modelled. */
export const gpaSteps = {
  ...tdrSteps,
  'gpa.level': ({ level }: GpaCall) => level !== 0,
  'gpa.not-private': (call: GpaCall) => !isPrivate(call),
  'sept.no-table': (call: GpaCall) => !initializedOf(call).secureEpt.reaches(call.gpa, call.level),
  'sept.entry-taken': (call: GpaCall) => initializedOf(call).secureEpt.page(call.gpa) !== undefined,
};

function isUnaligned(hpa: Hpa): boolean {
  return hpa % pageSize !== 0 || hpa < 0;
}

function isOutOfRange({ module, handle }: TdCall): boolean {
  return handle >= module.limits.memoryBytes;
}

function isNot(type: PageType) {
  return (call: TdCall) => {
    call.metadata = call.module.pamt.get(call.handle);
    return call.metadata?.type !== type;
  };
}

function isIn(state: OpState) {
  return (call: TdCall) => tdOf(call).opState === state;
}

/**
 * The address must be aligned to its level, and below the bit that means shared: 47, or 51 with GPAW.
 */
function isPrivate(call: GpaCall): boolean {
  const { gpa, level } = call;
  const sharedBit = (initializedOf(call).params.configFlags & 1n) === 1n ? 51 : 47;
  return gpa >= 0 && gpa < 2 ** sharedBit && gpa % (pageSize * 512 ** level) === 0;
}
