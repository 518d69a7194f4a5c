/**
 * These leaves work on private memory: TDH.MEM.* and TDH.MR.*. A GPA operand carries its level in bits
 * 2:0.
 */

import { mrExtendChunkBytes } from '../../abi/tdx/mrtd.ts';
import { type Hpa, pageSize } from './addresses.ts';
import { checksOf, firstRefusal, type LeafAnswer } from './checks.ts';
import {
  type GpaCall,
  gpaSteps,
  initializedOf,
  type PageCall,
  pageSteps,
  splitGpa,
  type TdCall,
  tdCall,
  tdOf,
  tdrSteps,
} from './common-steps.ts';
import type { ModuleState } from './module-state.ts';
import type { PageType } from './states.ts';

type MapCall = GpaCall & PageCall;

const septAddChecks = checksOf<'TDH.MEM.SEPT.ADD', MapCall>('TDH.MEM.SEPT.ADD', {
  ...gpaSteps,
  ...pageSteps,
  'gpa.level': (call) => call.level < 1 || call.level > initializedOf(call).secureEpt.topLevel,
  'sept.entry-taken': (call) => initializedOf(call).secureEpt.hasTable(call.gpa, call.level),
});

export function memSeptAdd(
  module: ModuleState,
  { rcx, rdx, r8 }: { rcx: number; rdx: Hpa; r8: Hpa },
): LeafAnswer {
  const { gpa, level } = splitGpa(rcx);
  const call = { module, handle: rdx, metadata: undefined, gpa, level, page: r8 };
  const refused = firstRefusal(septAddChecks, call);
  if (refused !== undefined) return refused;

  initializedOf(call).secureEpt.addTable(call.gpa, call.level, r8);
  takePage(call, 'EPT');
  return undefined;
}

const pageAddChecks = checksOf<'TDH.MEM.PAGE.ADD', MapCall & { readonly source: Uint8Array }>(
  'TDH.MEM.PAGE.ADD',
  {
    ...gpaSteps,
    ...pageSteps,
    'mem-page-add.source': ({ source }) => source.length !== pageSize,
  },
);

/** R9 is the source page: shared memory of the host, whose content is copied. */
export function memPageAdd(
  module: ModuleState,
  { rcx, rdx, r8, r9 }: { rcx: number; rdx: Hpa; r8: Hpa; r9: Uint8Array },
): LeafAnswer {
  const { gpa, level } = splitGpa(rcx);
  const call = { module, handle: rdx, metadata: undefined, gpa, level, page: r8, source: r9 };
  const refused = firstRefusal(pageAddChecks, call);
  if (refused !== undefined) return refused;

  mapPage(call);
  const { content, mrtd } = initializedOf(call);
  content.set(call.gpa, r9.slice());
  mrtd.pageAdd(BigInt(call.gpa));
  return undefined;
}

const pageAugChecks = checksOf<'TDH.MEM.PAGE.AUG', MapCall>('TDH.MEM.PAGE.AUG', {
  ...gpaSteps,
  ...pageSteps,
});

/** Adds a page to a running TD. Nothing is copied or measured, and the guest has to accept the page. */
export function memPageAug(
  module: ModuleState,
  { rcx, rdx, r8 }: { rcx: number; rdx: Hpa; r8: Hpa },
): LeafAnswer {
  const { gpa, level } = splitGpa(rcx);
  const call = { module, handle: rdx, metadata: undefined, gpa, level, page: r8 };
  const refused = firstRefusal(pageAugChecks, call);
  if (refused === undefined) mapPage(call);
  return refused;
}

function mapPage(call: MapCall): void {
  initializedOf(call).secureEpt.addPage(call.gpa, call.page);
  takePage(call, 'REG');
}

function takePage(call: MapCall, type: PageType): void {
  const owner = tdOf(call);
  call.module.pamt.set(call.page, { type, owner, vcpu: undefined });
  owner.childPages++;
}

interface ExtendCall extends GpaCall {
  /** Offset of the 256 bytes in their page. */
  readonly offset: number;
}

const extendChecks = checksOf<'TDH.MR.EXTEND', ExtendCall>('TDH.MR.EXTEND', {
  ...gpaSteps,
  'mr-extend.unaligned': ({ offset }) => offset % mrExtendChunkBytes !== 0,
  'mr-extend.no-table': gpaSteps['sept.no-table'],
  'mr-extend.no-page': (call) => {
    const { secureEpt, content } = initializedOf(call);
    const isBlocked = secureEpt.page(call.gpa)?.blockedAtEpoch !== undefined;
    return isBlocked || !content.has(call.gpa);
  },
});

/** Measures 256 bytes of a page that was added. */
export function mrExtend(module: ModuleState, { rcx, rdx }: { rcx: number; rdx: Hpa }): LeafAnswer {
  const offset = rcx % pageSize;
  const call = { module, handle: rdx, metadata: undefined, gpa: rcx - offset, level: 0, offset };
  const refused = firstRefusal(extendChecks, call);
  if (refused !== undefined) return refused;

  const { mrtd, content } = initializedOf(call);
  const page = content.get(call.gpa) ?? new Uint8Array(pageSize);
  mrtd.extend(BigInt(rcx), page.subarray(offset, offset + mrExtendChunkBytes));
  return undefined;
}

const finalizeChecks = checksOf<'TDH.MR.FINALIZE', TdCall>('TDH.MR.FINALIZE', {
  ...tdrSteps,
  'mr-finalize.no-vcpus': (call) => initializedOf(call).vcpus === 0,
});

export function mrFinalize(module: ModuleState, { rcx }: { rcx: Hpa }): LeafAnswer {
  const call = tdCall(module, rcx);
  const refused = firstRefusal(finalizeChecks, call);
  if (refused !== undefined) return refused;

  const initialized = initializedOf(call);
  initialized.finalMrtd = initialized.mrtd.finalize();
  initialized.content.clear();
  tdOf(call).opState = 'RUNNABLE';
  return undefined;
}

const blockChecks = checksOf<'TDH.MEM.RANGE.BLOCK', GpaCall>('TDH.MEM.RANGE.BLOCK', {
  ...gpaSteps,
  'mem-range-block.no-page': (call) => entryOf(call) === undefined,
  'mem-range-block.done-already': (call) => entryOf(call)?.blockedAtEpoch !== undefined,
});

export function memRangeBlock(
  module: ModuleState,
  { rcx, rdx }: { rcx: number; rdx: Hpa },
): LeafAnswer {
  const call = { module, handle: rdx, metadata: undefined, ...splitGpa(rcx) };
  const refused = firstRefusal(blockChecks, call);
  const entry = refused === undefined ? entryOf(call) : undefined;
  if (entry !== undefined) entry.blockedAtEpoch = initializedOf(call).epoch;
  return refused;
}

const trackChecks = checksOf<'TDH.MEM.TRACK', TdCall>('TDH.MEM.TRACK', tdrSteps);

/** Starts a new TLB epoch. */
export function memTrack(module: ModuleState, { rcx }: { rcx: Hpa }): LeafAnswer {
  const call = tdCall(module, rcx);
  const refused = firstRefusal(trackChecks, call);
  if (refused === undefined) initializedOf(call).epoch++;
  return refused;
}

const removeChecks = checksOf<'TDH.MEM.PAGE.REMOVE', GpaCall>('TDH.MEM.PAGE.REMOVE', {
  ...gpaSteps,
  'mem-page-remove.not-blocked': (call) => entryOf(call)?.blockedAtEpoch === undefined,
  // No vCPU has a translation of a TD that has not run yet.
  'mem-page-remove.not-tracked': (call) =>
    tdOf(call).opState === 'RUNNABLE' &&
    (entryOf(call)?.blockedAtEpoch ?? 0) >= initializedOf(call).epoch,
});

export function memPageRemove(
  module: ModuleState,
  { rcx, rdx }: { rcx: number; rdx: Hpa },
): LeafAnswer {
  const call = { module, handle: rdx, metadata: undefined, ...splitGpa(rcx) };
  const refused = firstRefusal(removeChecks, call);
  const entry = refused === undefined ? entryOf(call) : undefined;
  if (entry === undefined) return refused;

  const { secureEpt, content } = initializedOf(call);
  secureEpt.removePage(call.gpa);
  content.delete(call.gpa);
  module.pamt.delete(entry.hpa);
  tdOf(call).childPages--;
  return undefined;
}

function entryOf(call: GpaCall) {
  return initializedOf(call).secureEpt.page(call.gpa);
}
