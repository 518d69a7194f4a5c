/** What of CPUID decides over a TD, read and written in one place. Source: Intel SDM vol. 2A, CPUID. */
import { type CpuidEntry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX } from './structs.ts';

/** EAX: address bits, physical in [7:0], linear in [15:8], guest physical in [23:16]. */
export const ADDRESS_SIZES_LEAF = 0x8000_0008;
const GUEST_ADDRESS_BITS = 0x00ff_0000;

const TOPOLOGY_LEAVES: ReadonlySet<number> = new Set([0xb, 0x1f]);
const X2APIC = 1 << 21;

/**
 * The leaves of one vCPU: its APIC id in leaf 1 EBX[31:24] and in EDX of the topology leaves, and
 * x2APIC in leaf 1 ECX, without which tdx_td_vcpu_init() in arch/x86/kvm/vmx/tdx.c gives EINVAL.
 */
export function withApicId(entries: readonly CpuidEntry[], apicId: number): CpuidEntry[] {
  return entries.map((entry) => {
    if (entry.function === 1) {
      const ebx = ((entry.ebx & 0x00ffffff) | ((apicId & 0xff) << 24)) >>> 0;
      return { ...entry, ebx, ecx: (entry.ecx | X2APIC) >>> 0 };
    }
    return TOPOLOGY_LEAVES.has(entry.function) ? { ...entry, edx: apicId } : entry;
  });
}

const HYPERVISOR = 1 << 31;

/**
 * What an ordinary VM shows of itself beyond KVM_GET_SUPPORTED_CPUID: the bit that says that there is a hypervisor, which
 * KVM leaves to who makes the VM. Without it a guest does not look for KVM's clock, and tests a timer that may be late.
 */
export function withHypervisor(entries: readonly CpuidEntry[]): CpuidEntry[] {
  return entries.map((entry) =>
    entry.function === 1 ? { ...entry, ecx: (entry.ecx | HYPERVISOR) >>> 0 } : entry,
  );
}

export function hasX2apic(entries: readonly CpuidEntry[]): boolean {
  return ((findEntry(entries, 1)?.ecx ?? 0) & X2APIC) !== 0;
}

/** kvm_find_cpuid_entry2: an entry whose index is not marked stands for every subleaf of its leaf. */
export function findEntry(
  entries: readonly CpuidEntry[],
  leaf: number,
  index = 0,
): CpuidEntry | undefined {
  return entries.find(
    (entry) =>
      entry.function === leaf &&
      ((entry.flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) === 0 || entry.index === index),
  );
}

export function areSameEntries(one: readonly CpuidEntry[], other: readonly CpuidEntry[]): boolean {
  return one === other || (one.length === other.length && one.every((a, i) => isSame(a, other[i])));
}

function isSame(one: CpuidEntry, other: CpuidEntry | undefined): boolean {
  return (
    one.function === other?.function &&
    one.index === other.index &&
    one.flags === other.flags &&
    one.eax === other.eax &&
    one.ebx === other.ebx &&
    one.ecx === other.ecx &&
    one.edx === other.edx
  );
}

export function physicalAddressBits(entries: readonly CpuidEntry[]): number | undefined {
  const entry = findEntry(entries, ADDRESS_SIZES_LEAF);
  return entry && entry.eax & 0xff;
}

/** What KVM's page tables can map, or what INIT_VM is asked for. */
export function guestAddressBits(entries: readonly CpuidEntry[]): number | undefined {
  const entry = findEntry(entries, ADDRESS_SIZES_LEAF);
  return entry && (entry.eax & GUEST_ADDRESS_BITS) >>> 16;
}

/** EAX of the address sizes with this width of guest physical addresses. */
export function withGuestAddressBits(eax: number, bits: number): number {
  return ((eax & ~GUEST_ADDRESS_BITS) | (bits << 16)) >>> 0;
}

/** The widths that a TD may have on a host whose KVM supports this CPUID: 52 needs 5-level EPT. */
export function guestAddressWidths(
  supported: readonly CpuidEntry[],
): readonly (48 | 52)[] | undefined {
  const bits = guestAddressBits(supported);
  return bits === undefined ? undefined : bits >= 52 ? [48, 52] : [48];
}

/**
 * Features of leaf 7, subleaf 0, that KVM gives to no TD, whatever the TDX module says:
 * tdx_unsupported_cpuid() in arch/x86/kvm/vmx/tdx.c.
 */
const forbiddenInTds = [
  { name: 'HLE', register: 'ebx', mask: 1 << 4 },
  { name: 'RTM', register: 'ebx', mask: 1 << 11 },
  { name: 'WAITPKG', register: 'ecx', mask: 1 << 5 },
] as const;

/** Names of the forbidden features that an entry has set. */
export function forbiddenFeatures(entry: CpuidEntry): string[] {
  if (entry.function !== 7 || entry.index !== 0) return [];
  return forbiddenInTds
    .filter(({ register, mask }) => (entry[register] & mask) !== 0)
    .map(({ name }) => name);
}

/** Registers of leaf 7, subleaf 0, as tdx_clear_unsupported_cpuid() leaves them. */
export function withoutForbidden<Registers extends Pick<CpuidEntry, 'ebx' | 'ecx'>>(
  registers: Registers,
): Registers {
  const cleared = { ebx: registers.ebx, ecx: registers.ecx };
  for (const { register, mask } of forbiddenInTds) {
    cleared[register] = (cleared[register] & ~mask) >>> 0;
  }
  return { ...registers, ...cleared };
}
