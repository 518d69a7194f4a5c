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
    const entries = readAll(call);
    call.entries = entries ?? [];
    return entries === undefined;
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

/** What was read of a TD, and by how many calls of TDH.MNG.RD. */
interface Reading {
  readonly context: TdContext;
  readonly entries: CpuidEntry[];
  calls: number;
}

/** By the CPUID that TDs have in the module, the last reading, and the width that KVM filled in. */
const lastReadings = new WeakMap<
  object,
  Pick<Reading, 'entries' | 'calls'> & { readonly sharedBit: number }
>();

/** Returns undefined when the module refuses the first of either range. */
function readAll(context: TdContext): readonly CpuidEntry[] | undefined {
  const { td, tdx } = context;
  if (td.tdr === undefined) return undefined;
  const { sharedBit } = td;
  // What a fault has made of it is no other TD's.
  const cpuid = tdx.module.isHeard('TDH.MNG.RD') ? undefined : tdx.module.cpuidOf(td.tdr);
  const last = cpuid && lastReadings.get(cpuid);
  if (last?.sharedBit === sharedBit && isReadable(context, last)) return last.entries;
  const reading: Reading = { context, entries: [], calls: 0 };
  if (!readRange(reading, 0) || !readRange(reading, 0x8000_0000)) return undefined;
  const { entries, calls } = reading;
  if (cpuid !== undefined) lastReadings.set(cpuid, { entries, calls, sharedBit });
  return entries;
}

/** Where the first call succeeds, the others need not be made to know what they answer. */
function isReadable(context: TdContext, { calls }: Pick<Reading, 'calls'>): boolean {
  const first: Reading = { context, entries: [], calls: 0 };
  if (read(first, cpuidValuesField(0, undefined, 0)) === undefined) return false;
  context.tdx.module.account('TDH.MNG.RD', calls - first.calls);
  return true;
}

/**
 * Reads all leaves from `first` to the highest one that `first` names. Returns false when `first`
 * cannot be read.
 */
function readRange(reading: Reading, first: number): boolean {
  const { entries } = reading;
  const start = entries.length;
  if (!readLeaf(reading, first)) return false;
  const last = entries[start]?.eax ?? first;
  for (let leaf = first + 1; leaf <= last; leaf++) readLeaf(reading, leaf);
  return true;
}

/**
 * Reads the leaf without a subleaf first. Where the module refuses that, it reads subleaf by subleaf
 * until one is refused.
 */
function readLeaf(reading: Reading, leaf: number): boolean {
  const { entries } = reading;
  const plain = readEntry(reading, leaf, undefined);
  if (plain !== undefined) return append(entries, plain);
  let subleaf = 0;
  for (;;) {
    const entry = readEntry(reading, leaf, subleaf);
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
  reading: Reading,
  leaf: number,
  subleaf: number | undefined,
): CpuidEntry | undefined {
  // The field id has no room for other leaves.
  if ((leaf & 0x7fff_ff80) !== 0 || (subleaf ?? 0) > 0x7f) return undefined;
  const low = read(reading, cpuidValuesField(leaf, subleaf, 0));
  if (low === undefined) return undefined;
  const high = read(reading, cpuidValuesField(leaf, subleaf, 1));
  if (high === undefined) return undefined;
  return {
    function: leaf,
    index: subleaf ?? 0,
    flags: subleaf === undefined ? 0 : KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
    eax: withAddressWidth(reading.context.td, leaf, lowerHalf(low)),
    ebx: upperHalf(low),
    ecx: lowerHalf(high),
    edx: upperHalf(high),
  };
}

function read(reading: Reading, field: bigint): bigint | undefined {
  const { td, tdx } = reading.context;
  const { module } = tdx;
  reading.calls++;
  const status = module.seamcall('TDH.MNG.RD', { rcx: td.tdr ?? 0, rdx: field });
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
