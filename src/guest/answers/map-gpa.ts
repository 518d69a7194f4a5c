/** KVM_HC_MAP_GPA_RANGE: a TD converts its memory by TDG.VP.VMCALL<MapGPA>, of which KVM makes this hypercall. */
import { errnoNumbers } from '../../abi/kvm/errno.ts';
import { KVM_MAP_GPA_RANGE_ENCRYPTED } from '../../abi/kvm/exits.ts';
import { KvmError } from '../../host/kvm-error.ts';
import { type Conversions, rangeInWords } from './conversions.ts';
import type { AnswerParts, GuestMemoryKind, GuestRange } from './parts.ts';

const pageBytes = 4096n;

/** What KVM takes for an answer: tdx_complete_vmcall_map_gpa() in arch/x86/kvm/vmx/tdx.c. */
export const mapGpaResults = {
  done: 0n,
  retry: BigInt(errnoNumbers.EAGAIN),
  refused: BigInt(errnoNumbers.EINVAL),
} as const;

/** The host has no room, or was interrupted, which passes. */
const passing: ReadonlySet<string> = new Set(['EAGAIN', 'EBUSY', 'EINTR', 'ENOMEM']);

export interface MapGpa {
  readonly range: GuestRange;
  readonly kind: GuestMemoryKind;
}

/** The size of the pages that the guest names is a hint. */
export function mapGpaOf(args: readonly bigint[]): MapGpa {
  const [gpa = 0n, pages = 0n, attributes = 0n] = args;
  return {
    range: { gpa, sizeBytes: pages * pageBytes },
    kind: (attributes & KVM_MAP_GPA_RANGE_ENCRYPTED) === 0n ? 'shared' : 'private',
  };
}

export async function answerMapGpa(
  { range, kind }: MapGpa,
  { conversions, warn }: { readonly conversions: Conversions } & Pick<AnswerParts, 'warn'>,
): Promise<bigint> {
  try {
    const converted = await conversions.convert(range, kind);
    return converted === 'done' ? mapGpaResults.done : mapGpaResults.refused;
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    warn(`the guest's MapGPA of ${rangeInWords(range)} to ${kind} was not done: ${error.message}`);
    return passing.has(error.code) ? mapGpaResults.retry : mapGpaResults.refused;
  }
}
