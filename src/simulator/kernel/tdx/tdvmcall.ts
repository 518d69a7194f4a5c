/**
 * KVM either answers a TDVMCALL itself, or user space sees an exit and the next KVM_RUN completes its
 * answer. Source: handle_tdvmcall() and what it calls, Linux 7.3.
 */
import { errnoNumbers } from '../../../abi/kvm/errno.ts';
import {
  KVM_HC_MAP_GPA_RANGE,
  KVM_MAP_GPA_RANGE_ENCRYPTED,
  KVM_SYSTEM_EVENT_TDX_FATAL,
} from '../../../abi/kvm/exits.ts';
import { tellsMapGpaAnswersApart } from '../../../abi/kvm/kernels/record.ts';
import { PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import { tdVmCallLeaves, tdVmCallStatuses } from '../../../abi/tdx/tdvmcall.ts';
import type {
  RunPageInput,
  TdVmCall,
  TdVmCallAnswer,
  TdVmCallRegister,
  VcpuExit,
} from '../../interface.ts';
import { hasEvents } from '../interrupts/inject.ts';
import { busWrite } from '../interrupts/io-bus.ts';
import type { Kernel } from '../kernel.ts';
import type { PendingCompletion, TdOfVm, Vcpu } from '../objects.ts';
import { isLegalGpa } from '../vcpu/cpuid.ts';

const { SUCCESS, RETRY, INVALID_OPERAND, ALIGN_ERROR, SUBFUNC_UNSUPPORTED } = tdVmCallStatuses;
const mapGpaRange = { decrypted: 0n, encrypted: KVM_MAP_GPA_RANGE_ENCRYPTED } as const;
const KVM_EXIT_HYPERCALL_LONG_MODE = 1n;
/** TDH.VP.ENTER returns the exit reason of TDCALL when the guest has made a call. */
const EXIT_REASON_TDCALL = 77n;
/** KVM cuts MapGPA into pieces so that a guest gets its interrupts in between. */
const mapGpaMostBytes = 2n << 20n;

export type TdVmCallOutcome =
  | { readonly answer: TdVmCallAnswer }
  | { readonly exit: VcpuExit; readonly pending: PendingCompletion | undefined };

interface Call {
  readonly kernel: Kernel;
  readonly vcpu: Vcpu;
  readonly td: TdOfVm;
}

const answers = (r10: bigint, others: Omit<TdVmCallAnswer, 'r10'> = {}): TdVmCallOutcome => ({
  answer: { r10, ...others },
});

export function handleTdVmCall(call: Call, event: TdVmCall): TdVmCallOutcome {
  switch (event.tdvmcall) {
    case 'MapGPA':
      return mapGpa(call, event.gpa, event.size);
    case 'GetQuote':
      return getQuote(call, event.gpa, event.size);
    case 'GetTdVmCallInfo':
      return getTdVmCallInfo(event.leaf);
    case 'SetupEventNotifyInterrupt':
      return setupEventNotifyInterrupt(event.vector);
    case 'ReportFatalError':
      return { exit: fatalError(event.registers), pending: undefined };
    case 'Instruction.IO':
      return emulateIo(call, event);
    case '#VE.RequestMMIO':
      return emulateMmio(call, event);
    case 'other':
      return answers(SUBFUNC_UNSUPPORTED);
  }
}

/** The check 'run.map-gpa-answer' has been made by now, so KVM takes this answer to MapGPA. */
export function completeTdVmCall(
  { kernel, vcpu, td }: Call,
  pending: Exclude<PendingCompletion, { completes: 'hypercall' }>,
  input: RunPageInput,
): TdVmCallOutcome {
  switch (pending.completes) {
    case 'MapGPA': {
      const status = mapGpaStatus(kernel, input.result);
      if (status !== SUCCESS) return answers(status, { r11: pending.next });
      const next = pending.next + mapGpaMostBytes;
      if (next >= pending.end) return answers(SUCCESS);
      if (hasEvents(vcpu)) return answers(RETRY, { r11: next });
      return mapGpaExit(td, next, pending.end);
    }
    case 'status':
      return answers(input.result);
    case 'GetTdVmCallInfo': {
      const [r11, r12, r13, r14] = input.tdVmCallInfo ?? [0n, 0n, 0n, 0n];
      return answers(input.result, { r11, r12, r13, r14 });
    }
    case 'read':
      return answers(SUCCESS, { r11: input.result });
    case 'write':
      return answers(SUCCESS);
  }
}

/** User space may answer a MapGPA exit with these values, in kernels that tell its answers apart. */
export const mapGpaResults: readonly bigint[] = [
  0n,
  BigInt(errnoNumbers.EAGAIN),
  BigInt(errnoNumbers.EINVAL),
];

function mapGpaStatus({ abi }: Kernel, result: bigint): bigint {
  if (result === 0n) return SUCCESS;
  const isRetry = result === BigInt(errnoNumbers.EAGAIN) && tellsMapGpaAnswersApart(abi);
  return isRetry ? RETRY : INVALID_OPERAND;
}

function mapGpa({ vcpu, td }: Call, gpa: bigint, size: bigint): TdVmCallOutcome {
  const refused = (status: bigint) => answers(status, { r11: gpa });
  // KVM has nothing of its own to do for MapGPA, so nobody would serve it without the exit.
  if ((vcpu.vm.caps.exitHypercall & (1n << KVM_HC_MAP_GPA_RANGE)) === 0n) {
    return refused(SUBFUNC_UNSUPPORTED);
  }
  const last = BigInt.asUintN(64, gpa + size - 1n);
  if (BigInt.asUintN(64, gpa + size) <= gpa) return refused(INVALID_OPERAND);
  if (!isLegalGpa(vcpu, gpa) || !isLegalGpa(vcpu, last)) return refused(INVALID_OPERAND);
  if (isPrivate(td, gpa) !== isPrivate(td, last)) return refused(INVALID_OPERAND);
  if (gpa % PAGE_SIZE !== 0n || size % PAGE_SIZE !== 0n) return refused(ALIGN_ERROR);
  return mapGpaExit(td, gpa, gpa + size);
}

function mapGpaExit(td: TdOfVm, next: bigint, end: bigint): TdVmCallOutcome {
  const size = end - next < mapGpaMostBytes ? end - next : mapGpaMostBytes;
  const attribute = isPrivate(td, next) ? mapGpaRange.encrypted : mapGpaRange.decrypted;
  return {
    exit: {
      reason: 'KVM_EXIT_HYPERCALL',
      nr: Number(KVM_HC_MAP_GPA_RANGE),
      args: [withoutSharedBit(td, next), size / PAGE_SIZE, attribute],
      flags: KVM_EXIT_HYPERCALL_LONG_MODE,
    },
    pending: { completes: 'MapGPA', next, end },
  };
}

/** The buffer must be shared. User space has to check its alignment and size. */
function getQuote({ td }: Call, gpa: bigint, size: bigint): TdVmCallOutcome {
  if (isPrivate(td, gpa)) return answers(INVALID_OPERAND);
  return tdxExit(tdVmCallLeaves.GetQuote, SUBFUNC_UNSUPPORTED, [withoutSharedBit(td, gpa), size]);
}

function setupEventNotifyInterrupt(vector: bigint): TdVmCallOutcome {
  if (vector < 32n || vector > 255n) return answers(INVALID_OPERAND);
  return tdxExit(tdVmCallLeaves.SetupEventNotifyInterrupt, SUBFUNC_UNSUPPORTED, [vector]);
}

/** Leaf 0 asks for the base calls, all of which KVM has; leaf 1 asks for those that user space adds. */
function getTdVmCallInfo(leaf: bigint): TdVmCallOutcome {
  if (leaf === 0n) return answers(SUCCESS, { r11: 0n, r12: 0n, r13: 0n, r14: 0n });
  if (leaf !== 1n) return answers(INVALID_OPERAND);
  const exit = tdxExit(tdVmCallLeaves.GetTdVmCallInfo, SUCCESS, [leaf, 0n, 0n, 0n, 0n]);
  return { ...exit, pending: { completes: 'GetTdVmCallInfo' } };
}

function tdxExit(leaf: bigint, ret: bigint, data: readonly bigint[]) {
  const exit: VcpuExit = { reason: 'KVM_EXIT_TDX', nr: Number(leaf), ret, data };
  return { exit, pending: { completes: 'status' } } as const;
}

/** The exit shows the guest's registers in the order of x86. */
function fatalError(registers: Readonly<Partial<Record<TdVmCallRegister, bigint>>>): VcpuExit {
  const given = { r11: tdVmCallLeaves.ReportFatalError, ...registers };
  const data = dumped.map((name) => (typeof name === 'bigint' ? name : (given[name] ?? 0n)));
  return { reason: 'KVM_EXIT_SYSTEM_EVENT', type: KVM_SYSTEM_EVENT_TDX_FATAL, data };
}

const dumped: readonly (TdVmCallRegister | bigint)[] = [
  EXIT_REASON_TDCALL,
  'rcx',
  'rdx',
  'rbx',
  // The guest never passes its RSP and RBP, so they read as 0.
  0n,
  0n,
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
];

function emulateIo(
  { kernel, vcpu }: Call,
  event: Extract<TdVmCall, { tdvmcall: 'Instruction.IO' }>,
): TdVmCallOutcome {
  const { direction, sizeBytes } = event;
  if (!isPortSize(sizeBytes)) return answers(INVALID_OPERAND);
  const isWrite = direction === 'out';
  const port = event.port & 0xffff;
  const data = isWrite ? BigInt.asUintN(8 * sizeBytes, event.data) : 0n;
  const write = { bus: 'PIO', addr: BigInt(port), len: sizeBytes, data } as const;
  if (isWrite && busWrite(kernel, vcpu.vm, write)) return answers(SUCCESS);
  return {
    exit: { reason: 'KVM_EXIT_IO', direction, port, sizeBytes, data },
    pending: { completes: isWrite ? 'write' : 'read' },
  };
}

/** KVM emulates MMIO in shared memory only, because it cannot see what private memory holds. */
function emulateMmio(
  { kernel, vcpu, td }: Call,
  event: Extract<TdVmCall, { tdvmcall: '#VE.RequestMMIO' }>,
): TdVmCallOutcome {
  const { sizeBytes: len, isWrite } = event;
  if (!isPortSize(len) && len !== 8) return answers(INVALID_OPERAND);
  const last = event.gpa + BigInt(len) - 1n;
  if (isPrivate(td, event.gpa) || isPrivate(td, last)) return answers(INVALID_OPERAND);
  const physAddr = withoutSharedBit(td, event.gpa);
  const data = isWrite ? BigInt.asUintN(8 * len, event.data) : 0n;
  const write = { bus: 'MMIO', addr: physAddr, len, data } as const;
  if (isWrite && busWrite(kernel, vcpu.vm, write)) return answers(SUCCESS);
  return {
    exit: { reason: 'KVM_EXIT_MMIO', physAddr, data, len, isWrite },
    pending: { completes: isWrite ? 'write' : 'read' },
  };
}

function isPortSize(sizeBytes: number): sizeBytes is 1 | 2 | 4 {
  return sizeBytes === 1 || sizeBytes === 2 || sizeBytes === 4;
}

function sharedBit(td: TdOfVm): bigint {
  return 1n << BigInt(td.sharedBit);
}

function isPrivate(td: TdOfVm, gpa: bigint): boolean {
  return (gpa & sharedBit(td)) === 0n;
}

function withoutSharedBit(td: TdOfVm, gpa: bigint): bigint {
  return gpa & ~sharedBit(td);
}
