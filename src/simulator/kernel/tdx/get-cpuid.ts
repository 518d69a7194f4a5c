/** KVM_TDX_GET_CPUID (kernel-abi 2.10 and 7.1): the TD's CPUID as TDH.MNG.RD gives it. */

import { ADDRESS_SIZES_LEAF, withGuestAddressBits } from '../../../abi/kvm/cpuid.ts';
import {
  type CpuidEntry,
  KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
  KVM_MAX_CPUID_ENTRIES,
} from '../../../abi/kvm/structs.ts';
import { statusCodes } from '../../../abi/tdx/status.ts';
import type { Answer, UserCpuid } from '../../interface.ts';
import { cpuidValuesField } from '../../module/metadata-fields.ts';
import { done, refuse } from '../answer.ts';
import { faultAt } from '../kernel.ts';
import type { TdContext } from './vm-command.ts';

export function getCpuid(context: TdContext, user: UserCpuid): Answer {
  // 8, 9
  const fault = faultAt(context.kernel, 'KVM_TDX_GET_CPUID: allocate');
  if (fault !== undefined) return fault;
  const header = user.readHeader();
  if (header === undefined) return refuse('EFAULT');
  // 10
  const entries: CpuidEntry[] = [];
  if (!readRange(context, 0, entries)) return refuse('EIO');
  if (!readRange(context, 0x8000_0000, entries)) return refuse('EIO');
  // 11: a fault on the header wins over a buffer that is too small
  if (!user.writeHeader({ nent: entries.length, padding: header.padding })) return refuse('EFAULT');
  // 12, 13
  if (header.nent < entries.length) return refuse('E2BIG');
  return user.writeEntries(entries) ? done : refuse('EFAULT');
}

/** All leaves from `first` to the highest that `first` names. False: `first` cannot be read. */
function readRange(context: TdContext, first: number, entries: CpuidEntry[]): boolean {
  const start = entries.length;
  if (!readLeaf(context, first, entries)) return false;
  const last = entries[start]?.eax ?? first;
  for (let leaf = first + 1; leaf <= last; leaf++) readLeaf(context, leaf, entries);
  return true;
}

/** Without a subleaf first; where the module refuses that, subleaf by subleaf until it refuses. */
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
  const low = read(cpuidValuesField(leaf, subleaf, 0), td.tdr);
  if (low === undefined) return undefined;
  const high = read(cpuidValuesField(leaf, subleaf, 1), td.tdr);
  if (high === undefined) return undefined;
  return {
    function: leaf,
    index: subleaf ?? 0,
    flags: subleaf === undefined ? 0 : KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
    eax: withAddressWidth(leaf, Number(low & 0xffff_ffffn)),
    ebx: Number(low >> 32n),
    ecx: Number(high & 0xffff_ffffn),
    edx: Number(high >> 32n),
  };

  function read(field: bigint, tdr: number): bigint | undefined {
    const status = tdx.module.seamcall('TDH.MNG.RD', { rcx: tdr, rdx: field });
    return status === statusCodes.TDX_SUCCESS ? tdx.module.out.r8 : undefined;
  }

  /** KVM knows the guest's address width better than the module says. */
  function withAddressWidth(of: number, eax: number): number {
    if (of !== ADDRESS_SIZES_LEAF) return eax;
    return withGuestAddressBits(eax, td.sharedBit === 51 ? 52 : 48);
  }
}
