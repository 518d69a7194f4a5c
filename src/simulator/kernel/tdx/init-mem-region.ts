/**
 * KVM_TDX_INIT_MEM_REGION follows tdx_vcpu_init_mem_region(). It adds pages to a TD that is being
 * built, and measures them when asked. However the loop ends, the region is written back, advanced by
 * the pages done, and the pages that were added stay.
 */
import { KVM_TDX_MEASURE_MEMORY_REGION, PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import { mrExtendChunkBytes } from '../../../abi/tdx/mrtd.ts';
import { statusCodes } from '../../../abi/tdx/status.ts';
import type { Answer, InitMemRegionStruct, UserStruct } from '../../interface.ts';
import { pageSize } from '../../module/addresses.ts';
import { done, type Refusal, refuse, refusedByModule } from '../answer.ts';
import { CopiedIn, faultAt, firstRefusal, type Steps } from '../checks.ts';
import { backingPage } from '../memory/guest-memfd.ts';
import { isPrivatePage } from '../memory/private-pages.ts';
import type { GuestMemfd, MemorySlot, PrivatePage } from '../objects.ts';
import { bugVm } from '../vm/vm.ts';
import { vcpuCommandSteps } from './command.ts';
import type { VcpuCommand } from './context.ts';
import { addPrivatePage, type PageFailure } from './secure-ept.ts';

const u64 = 1n << 64n;

interface RegionCall extends VcpuCommand {
  readonly region: CopiedIn<InitMemRegionStruct>;
}

const regionSteps: Steps<RegionCall> = {
  ...vcpuCommandSteps,
  'init-mem-region.vcpu-not-initialised': ({ tdVcpu }) => tdVcpu.state !== 'INITIALIZED',
  'init-mem-region.flags': ({ cmd }) => (cmd.value.flags & ~KVM_TDX_MEASURE_MEMORY_REGION) !== 0,
  'init-mem-region.unreadable': ({ region }) => region.fails(),
  'init-mem-region.source-zero': ({ region }) => region.value.sourceAddr === 0n,
  'init-mem-region.source-unaligned': ({ region }) => region.value.sourceAddr % PAGE_SIZE !== 0n,
  'init-mem-region.range': ({ region: { value } }) => {
    const size = value.nrPages * PAGE_SIZE;
    return value.gpa % PAGE_SIZE !== 0n || size === 0n || size >= u64 || value.gpa + size >= u64;
  },
  'init-mem-region.not-private': ({ region: { value }, td }) => {
    const shared = 1n << BigInt(td.sharedBit);
    const last = value.gpa + (value.nrPages - 1n) * PAGE_SIZE;
    return ((value.gpa | last) & shared) !== 0n;
  },
};

/**
 * The call concerns one page of the region, and holds what the steps so far have found to belong to it.
 */
interface PageCall extends RegionCall {
  /** Number of the page, counted from 0. */
  readonly page: number;
  readonly source: bigint;
  readonly gpa: bigint;
  readonly gfn: number;
  readonly slot: MemorySlot | undefined;
  content: Uint8Array;
  backing: PrivatePage | undefined;
  failure: PageFailure | undefined;
}

const pageSteps: Steps<PageCall> = {
  'init-mem-region.interrupted': isSignalled,
  'init-mem-region.no-slot': ({ slot }) => slot?.guestMemfd === undefined,
  'init-mem-region.memfd-closed': (call) => memfdOf(call).closed,
  'init-mem-region.source-unreadable': (call) => {
    const { kernel, caller, source } = call;
    if (isInPlace(call)) {
      call.content = contentInPlace(call);
      return false;
    }
    const point = 'KVM_TDX_INIT_MEM_REGION: get the source page';
    const fault = faultAt(kernel, point, 'init-mem-region.source-unreadable');
    if (fault !== undefined) return fault;
    const content = caller.memory.read(source, pageSize);
    if (content !== undefined) call.content = content;
    return content === undefined;
  },
  'init-mem-region.no-page': (call) => {
    const { kernel, gfn, slot } = call;
    const point = 'KVM_TDX_INIT_MEM_REGION: get the guest_memfd page';
    const fault = faultAt(kernel, point, 'init-mem-region.no-page');
    if (fault !== undefined) return fault;
    call.backing = backingPage(kernel, slot, gfn);
    return call.backing === undefined;
  },
  'init-mem-region.attribute-shared': ({ kernel, vm, gfn }) => !isPrivatePage(kernel, vm, gfn),
  'init-mem-region.added-already': ({ td, gfn }) => td.privatePages.has(gfn),
  'init-mem-region.no-pamt': ({ kernel, tdVcpu }) => {
    const { pamt } = kernel;
    if (pamt === undefined) return false;
    const point = 'KVM_TDX_INIT_MEM_REGION: allocate for dynamic PAMT';
    const fault = faultAt(kernel, point, 'init-mem-region.no-pamt');
    return fault ?? !pamt.topUp(tdVcpu.pamtCache);
  },
  'init-mem-region.no-table': (call) => {
    const { gfn, backing, content } = call;
    if (backing === undefined) throw new Error('a page of a file that has none');
    call.failure = addPrivatePage(call, { gfn, ...backing }, content, () => isSignalled(call));
    if (call.failure === 'interrupted') return refuse('init-mem-region.interrupted');
    return call.failure === 'no table';
  },
  'init-mem-region.pamt-refused': ({ failure, tdx }) =>
    failure === 'pamt refused' && refusedByModule('init-mem-region.pamt-refused', tdx),
  'init-mem-region.busy': ({ failure }) => failure === 'busy',
  'init-mem-region.module-refused': (call) =>
    (call.failure === 'refused' || !isMeasured(call)) &&
    refusedByModule('init-mem-region.module-refused', call.tdx),
};

export function initMemRegion(command: VcpuCommand, user: UserStruct<InitMemRegionStruct>): Answer {
  const { kernel, tdx, vm, td, caller, cmd, cmdAgain, vcpu, tdVcpu } = command;
  const region = new CopiedIn(() => user.read());
  const call: RegionCall = { kernel, tdx, vm, td, caller, cmd, cmdAgain, vcpu, tdVcpu, region };
  const refused = firstRefusal(kernel, 'KVM_TDX_INIT_MEM_REGION', { steps: regionSteps, call });
  if (refused !== undefined) return refused;
  const { sourceAddr, gpa, nrPages } = call.region.value;
  const { pages, stopped } = addPages(call);
  const moved = BigInt(pages) * PAGE_SIZE;
  const advanced = {
    sourceAddr: isInPlace(call) ? 0n : sourceAddr + moved,
    gpa: gpa + moved,
    nrPages: nrPages - BigInt(pages),
  };
  return user.write(advanced) ? (stopped ?? done) : refuse('init-mem-region.unwritable');
}

/** Tells how many pages were added, and what stopped the loop before the last of them. */
function addPages(call: RegionCall): { readonly pages: number; readonly stopped?: Refusal } {
  const { kernel, tdx, vm, td, caller, cmd, cmdAgain, vcpu, tdVcpu, region } = call;
  const { sourceAddr, gpa: first, nrPages } = region.value;
  for (let page = 0; page < Number(nrPages); page++) {
    const offset = BigInt(page) * PAGE_SIZE;
    const gpa = first + offset;
    const gfn = Number(gpa / PAGE_SIZE);
    // Field by field: a spread of the call took longer than a page's checks do.
    const pageCall: PageCall = {
      kernel,
      tdx,
      vm,
      td,
      caller,
      cmd,
      cmdAgain,
      vcpu,
      tdVcpu,
      region,
      page,
      source: sourceAddr + offset,
      gpa,
      gfn,
      slot: vm.slots.at(gfn),
      content: noContent,
      backing: undefined,
      failure: undefined,
    };
    const stopped = firstRefusal(kernel, 'KVM_TDX_INIT_MEM_REGION', {
      steps: pageSteps,
      call: pageCall,
    });
    if (stopped !== undefined) return { pages: page, stopped };
  }
  return { pages: Number(nrPages) };
}

const noContent = new Uint8Array();

/** Returns true unless the page is to be measured and the module refuses a chunk of it. */
function isMeasured({ tdx, vm, td, cmd, gpa }: PageCall): boolean {
  if ((cmd.value.flags & KVM_TDX_MEASURE_MEMORY_REGION) === 0) return true;
  const tdr = td.tdr ?? 0;
  for (let offset = 0; offset < pageSize; offset += mrExtendChunkBytes) {
    const extended = tdx.module.seamcall('TDH.MR.EXTEND', { rcx: Number(gpa) + offset, rdx: tdr });
    if (extended !== statusCodes.TDX_SUCCESS) {
      bugVm(vm);
      return false;
    }
  }
  return true;
}

/** source_addr 0, where the kernel takes it: the page is its own source. */
function isInPlace({ kernel, region }: RegionCall): boolean {
  return kernel.abi.memory.attributesOf === 'each guest_memfd' && region.value.sourceAddr === 0n;
}

/**
 * What user space has written into the page while it was shared. The model has no bytes of a guest_memfd:
 * they are read where the slot says that user space has them, which is where a VMM maps such a file.
 * A page that cannot be read there was never written, and is zeros.
 */
function contentInPlace({ caller, slot, gfn }: PageCall): Uint8Array {
  const zeros = new Uint8Array(pageSize);
  if (slot?.guestMemfd?.memfd.inode.mappable !== true) return zeros;
  const address = slot.userspaceAddr + BigInt(gfn - slot.baseGfn) * PAGE_SIZE;
  return caller.memory.read(address, pageSize) ?? zeros;
}

function memfdOf({ slot }: PageCall): GuestMemfd {
  if (slot?.guestMemfd === undefined) throw new Error('a page of no slot with a guest_memfd');
  return slot.guestMemfd.memfd;
}

function isSignalled({ kernel, caller, page }: PageCall): boolean {
  return caller.pendingSignal() !== 'none' || kernel.faults.signalBeforePage?.(page) === true;
}
