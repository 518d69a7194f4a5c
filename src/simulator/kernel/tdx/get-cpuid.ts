/** KVM_TDX_GET_CPUID follows tdx_vcpu_get_cpuid(). It gives the TD's CPUID as TDH.MNG.RD reads it. */

import { ADDRESS_SIZES_LEAF, withGuestAddressBits } from '../../../abi/kvm/cpuid.ts';
import {
  type CpuidEntry,
  KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
  KVM_MAX_CPUID_ENTRIES,
} from '../../../abi/kvm/structs.ts';
import { statusCodes } from '../../../abi/tdx/status.ts';
import type { Answer, CpuidHeader, UserCpuid } from '../../interface.ts';
import { cpuidValuesField } from '../../module/metadata-fields.ts';
import { done } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Steps } from '../checks.ts';
import { vcpuCommandSteps } from './command.ts';
import type { TdContext, VcpuCommand } from './context.ts';

interface GetCpuidCall extends VcpuCommand {
  readonly user: UserCpuid;
  readonly header: CopiedIn<CpuidHeader>;
  entries: readonly CpuidEntry[];
}

const steps: Steps<GetCpuidCall> = {
  ...vcpuCommandSteps,
  'get-cpuid.no-memory': faultStep('get-cpuid.no-memory', 'KVM_TDX_GET_CPUID: allocate'),
  'get-cpuid.unreadable': ({ header }) => header.fails(),
  'get-cpuid.module-refused': (call) => {
    const entries: CpuidEntry[] = [];
    call.entries = entries;
    return !readRange(call, 0, entries) || !readRange(call, 0x8000_0000, entries);
  },
  // A fault on the header takes precedence over a buffer that is too small.
  'get-cpuid.nent-unwritable': ({ user, header, entries }) =>
    !user.writeHeader({ nent: entries.length, padding: header.value.padding }),
  'get-cpuid.buffer-too-small': ({ header, entries }) => header.value.nent < entries.length,
  'get-cpuid.entries-unwritable': ({ user, entries }) => !user.writeEntries(entries),
};

export function getCpuid(command: VcpuCommand, user: UserCpuid): Answer {
  const header = new CopiedIn(() => user.readHeader());
  const { kernel, tdx, vm, td, caller, cmd, cmdAgain, vcpu, tdVcpu } = command;
  const call: GetCpuidCall = {
    kernel,
    tdx,
    vm,
    td,
    caller,
    cmd,
    cmdAgain,
    vcpu,
    tdVcpu,
    user,
    header,
    entries: [],
  };
  return firstRefusal(kernel, 'KVM_TDX_GET_CPUID', { steps, call }) ?? done;
}

/**
 * Reads all leaves from `first` to the highest one that `first` names. Returns false when `first`
 * cannot be read.
 */
function readRange(context: TdContext, first: number, entries: CpuidEntry[]): boolean {
  const start = entries.length;
  if (!readLeaf(context, first, entries)) return false;
  const last = entries[start]?.eax ?? first;
  for (let leaf = first + 1; leaf <= last; leaf++) readLeaf(context, leaf, entries);
  return true;
}

/**
 * Reads the leaf without a subleaf first. Where the module refuses that, it reads subleaf by subleaf
 * until one is refused.
 */
function readLeaf(context: TdContext, leaf: number, entries: CpuidEntry[]): boolean {
  const plain = readEntry(context, leaf, undefined);
  if (plain !== undefined) return append(entries, plain);
  let subleaf = 0;
  for (;;) {
    const entry = readEntry(context, leaf, subleaf);
    if (entry === undefined || !append(entries, entry)) break;
    subleaf++;
  }
  return subleaf > 0;
}

function append(entries: CpuidEntry[], entry: CpuidEntry): boolean {
  if (entries.length >= KVM_MAX_CPUID_ENTRIES) return false;
  entries.push(entry);
  return true;
}

function readEntry(
  { tdx, td }: TdContext,
  leaf: number,
  subleaf: number | undefined,
): CpuidEntry | undefined {
  // The field id has no room for other leaves.
  if ((leaf & 0x7fff_ff80) !== 0 || (subleaf ?? 0) > 0x7f || td.tdr === undefined) return undefined;
  const low = read(tdx, cpuidValuesField(leaf, subleaf, 0), td.tdr);
  if (low === undefined) return undefined;
  const high = read(tdx, cpuidValuesField(leaf, subleaf, 1), td.tdr);
  if (high === undefined) return undefined;
  return {
    function: leaf,
    index: subleaf ?? 0,
    flags: subleaf === undefined ? 0 : KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
    eax: withAddressWidth(td, leaf, lowerHalf(low)),
    ebx: upperHalf(low),
    ecx: lowerHalf(high),
    edx: upperHalf(high),
  };
}

function read({ module }: TdContext['tdx'], field: bigint, tdr: number): bigint | undefined {
  const status = module.seamcall('TDH.MNG.RD', { rcx: tdr, rdx: field });
  return status === statusCodes.TDX_SUCCESS ? module.out.r8 : undefined;
}

/** KVM knows the guest's address width better than the module does, so it fills in its own. */
function withAddressWidth({ sharedBit }: TdContext['td'], leaf: number, eax: number): number {
  if (leaf !== ADDRESS_SIZES_LEAF) return eax;
  return withGuestAddressBits(eax, sharedBit === 51 ? 52 : 48);
}

// Shifts and masks of bigints make new ones, and took a third of the time of KVM_TDX_GET_CPUID.
const word = new BigUint64Array(1);
const halves = new Uint32Array(word.buffer);

function lowerHalf(value: bigint): number {
  word[0] = value;
  return halves[0] ?? 0;
}

function upperHalf(value: bigint): number {
  word[0] = value;
  return halves[1] ?? 0;
}
