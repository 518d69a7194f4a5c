import { type CpuidEntry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX } from './structs.ts';

const TOPOLOGY_LEAVES: ReadonlySet<number> = new Set([0xb, 0x1f]);
const X2APIC = 1 << 21;

/**
 * The leaves of one vCPU: its APIC id in leaf 1 EBX[31:24] and in EDX of the topology leaves, and
 * x2APIC in leaf 1 ECX, without which KVM_TDX_INIT_VCPU is EINVAL (kernel-abi 2.9).
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
