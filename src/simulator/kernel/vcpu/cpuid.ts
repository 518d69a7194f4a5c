/** KVM_GET_SUPPORTED_CPUID, KVM_GET_EMULATED_CPUID, KVM_SET_CPUID2 and KVM_GET_CPUID2. Order: arch/x86/kvm/cpuid.c and x86.c. */
import { ADDRESS_SIZES_LEAF, findEntry } from '../../../abi/kvm/cpuid.ts';
import {
  type CpuidEntry,
  KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
  KVM_MAX_CPUID_ENTRIES,
} from '../../../abi/kvm/structs.ts';
import type { Answer, UserCpuid } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';

/** Physical address bits of a guest whose CPUID does not say. */
const defaultPhysicalBits = 36;

export function getSupportedCpuid(kernel: Kernel, user: UserCpuid): Answer {
  const header = user.readHeader();
  if (header === undefined) return refuse('EFAULT');
  if (header.nent < 1) return refuse('E2BIG');
  const fault = faultAt(kernel, 'KVM_GET_SUPPORTED_CPUID: allocate');
  if (fault !== undefined) return fault;
  const entries = kernel.profile.platform.cpuid;
  // The needed count is not returned: a caller tries a larger buffer.
  if (entries.length > Math.min(header.nent, KVM_MAX_CPUID_ENTRIES)) return refuse('E2BIG');
  if (!user.writeEntries(entries)) return refuse('EFAULT');
  if (!user.writeHeader({ nent: entries.length, padding: header.padding })) {
    return refuse('EFAULT');
  }
  return done;
}

/** What KVM emulates though the CPU lacks it: MOVBE, and RDPID where there is RDTSCP. */
export function getEmulatedCpuid(kernel: Kernel, user: UserCpuid): Answer {
  const header = user.readHeader();
  if (header === undefined) return refuse('EFAULT');
  const fault = faultAt(kernel, 'KVM_GET_SUPPORTED_CPUID: allocate');
  if (header.nent >= 1 && fault !== undefined) return fault;
  // There must be room for one more, which turns out to have nothing.
  if (header.nent <= emulated.length) return refuse('E2BIG');
  if (!user.writeEntries(emulated)) return refuse('EFAULT');
  const { padding } = header;
  return user.writeHeader({ nent: emulated.length, padding }) ? done : refuse('EFAULT');
}

const nothing = { index: 0, flags: 0, eax: 0, ebx: 0, ecx: 0, edx: 0 } as const;
const emulated: readonly CpuidEntry[] = [
  { ...nothing, function: 0, eax: 7 },
  { ...nothing, function: 1, ecx: 1 << 22 },
  { ...nothing, function: 7, flags: KVM_CPUID_FLAG_SIGNIFCANT_INDEX, ecx: 1 << 22 },
];

/** As KVM_SET_CPUID2 gave them; the count is not returned where they do not fit. */
export function getCpuid2({ cpuid }: Vcpu, user: UserCpuid): Answer {
  const header = user.readHeader();
  if (header === undefined) return refuse('EFAULT');
  if (header.nent < cpuid.length) return refuse('E2BIG');
  if (!user.writeEntries(cpuid)) return refuse('EFAULT');
  const { padding } = header;
  return user.writeHeader({ nent: cpuid.length, padding }) ? done : refuse('EFAULT');
}

export function setCpuid2(kernel: Kernel, vcpu: Vcpu, user: UserCpuid): Answer {
  const header = user.readHeader();
  if (header === undefined) return refuse('EFAULT');
  if (header.nent > KVM_MAX_CPUID_ENTRIES) return refuse('E2BIG');
  const fault = faultAt(kernel, 'KVM_SET_CPUID2: allocate');
  if (fault !== undefined) return fault;
  const entries = user.readEntries(header.nent);
  if (entries === undefined) return refuse('EFAULT');
  // Once the guest has seen its CPUID, only the same again.
  if (vcpu.entered) return isSameCpuid(entries, vcpu.cpuid) ? done : refuse('EINVAL');
  const addresses = findEntry(entries, ADDRESS_SIZES_LEAF);
  if (addresses !== undefined) {
    const virtualBits = (addresses.eax >>> 8) & 0xff;
    if (virtualBits !== 0 && virtualBits !== 48 && virtualBits !== 57) return refuse('EINVAL');
  }
  vcpu.cpuid = entries;
  return done;
}

function isSameCpuid(given: readonly CpuidEntry[], had: readonly CpuidEntry[]): boolean {
  const isSame = (one: CpuidEntry, other: CpuidEntry | undefined) =>
    other !== undefined &&
    one.function === other.function &&
    one.index === other.index &&
    one.flags === other.flags &&
    one.eax === other.eax &&
    one.ebx === other.ebx &&
    one.ecx === other.ecx &&
    one.edx === other.edx;
  return given.length === had.length && given.every((entry, i) => isSame(entry, had[i]));
}

/** Whether the address fits the guest's own physical address width. */
export function isLegalGpa({ cpuid }: Vcpu, gpa: bigint): boolean {
  const highest = findEntry(cpuid, 0x8000_0000);
  const addresses = findEntry(cpuid, ADDRESS_SIZES_LEAF);
  const says =
    highest !== undefined && highest.eax >= ADDRESS_SIZES_LEAF && addresses !== undefined;
  return gpa >> BigInt(says ? addresses.eax & 0xff : defaultPhysicalBits) === 0n;
}
