/**
 * KVM_PRE_FAULT_MEMORY follows kvm_vcpu_pre_fault_memory(). Private memory of a TD is mapped with
 * TDH.MEM.PAGE.AUG. However the call ends, the range is written back, advanced by the pages done.
 */
import { PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type { Answer, Caller, PreFaultMemoryStruct, UserStruct } from '../../interface.ts';
import { done, type Refusal, refuse } from '../answer.ts';
import { firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { MemorySlot, PrivatePage, Vcpu } from '../objects.ts';
import { augmentPrivatePage, mostTries, type PageFailure } from '../tdx/secure-ept.ts';
import { backingPage } from './guest-memfd.ts';
import { isPrivatePage } from './private-pages.ts';

const u64 = 1n << 64n;

interface PreFaultCall {
  readonly kernel: Kernel;
  readonly caller: Caller;
  readonly vcpu: Vcpu;
  readonly range: PreFaultMemoryStruct;
}

const rangeSteps: Steps<PreFaultCall> = {
  'pre-fault.flags': ({ range }) => range.flags !== 0n,
  'pre-fault.range': ({ range: { gpa, size } }) =>
    gpa % PAGE_SIZE !== 0n || size % PAGE_SIZE !== 0n || size === 0n || gpa + size >= u64,
};

interface PageCall extends PreFaultCall {
  readonly gpa: bigint;
  readonly gfn: number;
  readonly slot: MemorySlot | undefined;
  /** True when the page has to be given to the TD, because it is private and not there yet. */
  readonly isMissing: boolean;
  failure: PageFailure | undefined;
}

const pageSteps: Steps<PageCall> = {
  'pre-fault.interrupted': isSignalled,
  'pre-fault.before-finalize': ({ vcpu: { vm } }) => vm.td?.preFaultAllowed === false,
  'pre-fault.shared-address': ({ vcpu: { vm }, gpa }) =>
    vm.td !== undefined && (gpa & (1n << BigInt(vm.td.sharedBit))) !== 0n,
  'pre-fault.private-without-slot': ({ vcpu: { vm }, gfn, slot }) =>
    slot === undefined && vm.privateRanges.has(gfn),
  'pre-fault.no-slot': ({ slot }) => slot === undefined,
  'pre-fault.no-memfd': ({ slot, isMissing }) =>
    isMissing && (slot?.guestMemfd === undefined || slot.guestMemfd.memfd.closed),
  'kernel.no-memory': (call) => {
    if (!call.isMissing) return false;
    const { pamt } = call.kernel;
    const cache = call.vcpu.td?.pamtCache;
    if (pamt !== undefined && cache !== undefined && !pamt.topUp(cache)) return true;
    const backing = backingPage(call.kernel, call.slot, call.gfn);
    if (backing === undefined) return true;
    // KVM faults a busy page in again, as it does one that another CPU has mapped in the meantime.
    call.failure = 'busy';
    for (let tries = 0; call.failure === 'busy'; tries++) {
      if (tries > mostTries || isSignalled(call)) call.failure = 'interrupted';
      else call.failure = addPage(call, backing);
    }
    return call.failure === 'interrupted'
      ? refuse('pre-fault.interrupted')
      : call.failure === 'no table';
  },
  'pre-fault.pamt-refused': ({ failure }) => failure === 'pamt refused',
  'pre-fault.module-refused': ({ failure }) => failure === 'refused',
};

export function preFaultMemory(
  kernel: Kernel,
  caller: Caller,
  vcpu: Vcpu,
  user: UserStruct<PreFaultMemoryStruct>,
): Answer {
  const range = user.read();
  if (range === undefined) return refuse('argument.unreadable');
  const { bytes, stopped } = mapPages({ kernel, caller, vcpu, range });
  if (!user.write({ ...range, gpa: range.gpa + bytes, size: range.size - bytes })) {
    return refuse('pre-fault.unwritable');
  }
  return bytes === 0n ? (stopped ?? done) : done;
}

/** Tells how much was mapped, and what stopped the loop before the end. */
function mapPages(call: PreFaultCall): { readonly bytes: bigint; readonly stopped?: Refusal } {
  const { kernel, range } = call;
  const request = 'KVM_PRE_FAULT_MEMORY';
  const refused = firstRefusal(kernel, request, { steps: rangeSteps, call });
  if (refused !== undefined) return { bytes: 0n, stopped: refused };
  for (let bytes = 0n; bytes < range.size; bytes += PAGE_SIZE) {
    const page = pageCall(call, range.gpa + bytes);
    const stopped = firstRefusal(kernel, request, { steps: pageSteps, call: page });
    if (stopped !== undefined) return { bytes, stopped };
  }
  return { bytes: range.size };
}

function pageCall(call: PreFaultCall, gpa: bigint): PageCall {
  const { vm } = call.vcpu;
  const gfn = Number(gpa / PAGE_SIZE);
  const isMissing = isPrivatePage(call.kernel, vm, gfn) && vm.td?.privatePages.has(gfn) === false;
  return { ...call, gpa, gfn, slot: vm.slots.at(gfn), isMissing, failure: undefined };
}

function isSignalled({ caller }: PreFaultCall): boolean {
  return caller.pendingSignal() !== 'none';
}

function addPage({ kernel, vcpu, gfn }: PageCall, backing: PrivatePage): PageFailure | undefined {
  const { vm } = vcpu;
  const { td } = vm;
  const { td: tdVcpu } = vcpu;
  const { tdx } = kernel;
  if (td === undefined || tdVcpu === undefined || tdx === undefined) return 'refused';
  return augmentPrivatePage({ kernel, tdx, vm, td, tdVcpu }, { gfn, ...backing });
}
