/** Leaves on private memory: TDH.MEM.* and TDH.MR.*. A GPA operand carries its level in bits 2:0. */

import { mrExtendChunkBytes } from '../../abi/tdx/mrtd.ts';
import { type Hpa, pageSize } from './addresses.ts';
import { firstRefusal, type LeafAnswer, type LeafSteps } from './checks.ts';
import {
  type GpaCall,
  gpaCall,
  gpaSteps,
  initializedOf,
  type PageCall,
  pageSteps,
  type TdCall,
  tdCall,
  tdOf,
  tdrSteps,
} from './common-steps.ts';
import type { ModuleState } from './module-state.ts';
import type { PageType } from './states.ts';

type MapCall = GpaCall & PageCall;

const septAddSteps: LeafSteps<'TDH.MEM.SEPT.ADD', MapCall> = {
  ...gpaSteps,
  ...pageSteps,
  'gpa.level': (call) => call.level < 1 || call.level > initializedOf(call).secureEpt.topLevel,
  'sept.entry-taken': (call) => initializedOf(call).secureEpt.hasTable(call.gpa, call.level),
};

export function memSeptAdd(
  module: ModuleState,
  { rcx, rdx, r8 }: { rcx: number; rdx: Hpa; r8: Hpa },
): LeafAnswer {
  const call = { ...gpaCall(module, rdx, rcx), page: r8 };
  const refused = firstRefusal('TDH.MEM.SEPT.ADD', { steps: septAddSteps, call });
  if (refused !== undefined) return refused;

  initializedOf(call).secureEpt.addTable(call.gpa, call.level, r8);
  takePage(call, 'EPT');
  return undefined;
}

const pageAddSteps: LeafSteps<'TDH.MEM.PAGE.ADD', MapCall & { readonly source: Uint8Array }> = {
  ...gpaSteps,
  ...pageSteps,
  'mem-page-add.source': ({ source }) => source.length !== pageSize,
};

/** R9 is the source page: shared memory of the host, whose content is copied. */
export function memPageAdd(
  module: ModuleState,
  { rcx, rdx, r8, r9 }: { rcx: number; rdx: Hpa; r8: Hpa; r9: Uint8Array },
): LeafAnswer {
  const call = { ...gpaCall(module, rdx, rcx), page: r8, source: r9 };
  const refused = firstRefusal('TDH.MEM.PAGE.ADD', { steps: pageAddSteps, call });
  if (refused !== undefined) return refused;

  mapPage(call);
  const { content, mrtd } = initializedOf(call);
  content.set(call.gpa, r9.slice());
  mrtd.pageAdd(BigInt(call.gpa));
  return undefined;
}

const pageAugSteps: LeafSteps<'TDH.MEM.PAGE.AUG', MapCall> = { ...gpaSteps, ...pageSteps };

/** A page of a running TD: nothing is copied or measured, and the guest has to accept it. */
export function memPageAug(
  module: ModuleState,
  { rcx, rdx, r8 }: { rcx: number; rdx: Hpa; r8: Hpa },
): LeafAnswer {
  const call = { ...gpaCall(module, rdx, rcx), page: r8 };
  const refused = firstRefusal('TDH.MEM.PAGE.AUG', { steps: pageAugSteps, call });
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
  /** Of the 256 bytes in their page. */
  readonly offset: number;
}

const extendSteps: LeafSteps<'TDH.MR.EXTEND', ExtendCall> = {
  ...gpaSteps,
  'mr-extend.unaligned': ({ offset }) => offset % mrExtendChunkBytes !== 0,
  'mr-extend.no-table': gpaSteps['sept.no-table'],
  'mr-extend.no-page': (call) => {
    const { secureEpt, content } = initializedOf(call);
    const isBlocked = secureEpt.page(call.gpa)?.blockedAtEpoch !== undefined;
    return isBlocked || !content.has(call.gpa);
  },
};

/** Measures 256 bytes of a page that was added. */
export function mrExtend(module: ModuleState, { rcx, rdx }: { rcx: number; rdx: Hpa }): LeafAnswer {
  const offset = rcx % pageSize;
  const call = { ...gpaCall(module, rdx, rcx - offset), offset };
  const refused = firstRefusal('TDH.MR.EXTEND', { steps: extendSteps, call });
  if (refused !== undefined) return refused;

  const { mrtd, content } = initializedOf(call);
  const page = content.get(call.gpa) ?? new Uint8Array(pageSize);
  mrtd.extend(BigInt(rcx), page.subarray(offset, offset + mrExtendChunkBytes));
  return undefined;
}

const finalizeSteps: LeafSteps<'TDH.MR.FINALIZE', TdCall> = {
  ...tdrSteps,
  'mr-finalize.no-vcpus': (call) => initializedOf(call).vcpus === 0,
};

export function mrFinalize(module: ModuleState, { rcx }: { rcx: Hpa }): LeafAnswer {
  const call = tdCall(module, rcx);
  const refused = firstRefusal('TDH.MR.FINALIZE', { steps: finalizeSteps, call });
  if (refused !== undefined) return refused;

  const initialized = initializedOf(call);
  initialized.finalMrtd = initialized.mrtd.finalize();
  initialized.content.clear();
  tdOf(call).opState = 'RUNNABLE';
  return undefined;
}

const blockSteps: LeafSteps<'TDH.MEM.RANGE.BLOCK', GpaCall> = {
  ...gpaSteps,
  'mem-range-block.no-page': (call) => entryOf(call) === undefined,
  'mem-range-block.done-already': (call) => entryOf(call)?.blockedAtEpoch !== undefined,
};

export function memRangeBlock(
  module: ModuleState,
  { rcx, rdx }: { rcx: number; rdx: Hpa },
): LeafAnswer {
  const call = gpaCall(module, rdx, rcx);
  const refused = firstRefusal('TDH.MEM.RANGE.BLOCK', { steps: blockSteps, call });
  const entry = refused === undefined ? entryOf(call) : undefined;
  if (entry !== undefined) entry.blockedAtEpoch = initializedOf(call).epoch;
  return refused;
}

/** Starts a new TLB epoch. */
export function memTrack(module: ModuleState, { rcx }: { rcx: Hpa }): LeafAnswer {
  const call = tdCall(module, rcx);
  const refused = firstRefusal('TDH.MEM.TRACK', { steps: tdrSteps, call });
  if (refused === undefined) initializedOf(call).epoch++;
  return refused;
}

const removeSteps: LeafSteps<'TDH.MEM.PAGE.REMOVE', GpaCall> = {
  ...gpaSteps,
  'mem-page-remove.not-blocked': (call) => entryOf(call)?.blockedAtEpoch === undefined,
  'mem-page-remove.not-tracked': (call) =>
    (entryOf(call)?.blockedAtEpoch ?? 0) >= initializedOf(call).epoch,
};

export function memPageRemove(
  module: ModuleState,
  { rcx, rdx }: { rcx: number; rdx: Hpa },
): LeafAnswer {
  const call = gpaCall(module, rdx, rcx);
  const refused = firstRefusal('TDH.MEM.PAGE.REMOVE', { steps: removeSteps, call });
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
