import { executeCpuid } from '../../../src/abi/cpuid/raw.ts';
import type { CpuidRegisters } from '../../../src/abi/cpuid/registers.ts';
import { hostProfiles } from '../../../src/simulator/index.ts';

/**
 * Lines that QEMU prints under exec because of the CPU of the machine that it runs on, where a TDX host
 * would print none: it looks at CPUID itself, which no program can be kept from reading.
 */
interface KnownLine {
  readonly pattern: RegExp;
  readonly because: string;
}

/** `warning: host doesn't support requested feature: CPUID[eax=07h,ecx=00h].EBX.hle [bit 4]`, or as 7.2 has it. */
const missingFeature =
  /^warning: host doesn't support requested feature: CPUID(?:\[eax=(?<leaf>\w+)h(?:,ecx=(?<subleaf>\w+)h)?\]|\.(?<oldLeaf>\w+)H)[.:](?<register>E[A-D]X)\S* \[bit (?<bit>\d+)\]$/;
const missingTaaNo =
  /^warning: host doesn't support requested feature: MSR\(10Ah\)\.taa-no \[bit 8\]$/i;

const cpu = hostProfiles['spr-1.5'].platform.cpuid;

/**
 * Whether the CPU that is simulated is without what a CPU model of QEMU's asks for, so that QEMU says so on
 * such a host too. It asks KVM, not the instruction.
 */
function isLackedBySimulatedCpu(line: string): boolean {
  // kvm_get_arch_capabilities() in arch/x86/kvm/x86.c takes TAA_NO from a CPU without RTM.
  if (missingTaaNo.test(line)) return !hasBit({ leaf: 7, subleaf: 0, register: 'ebx', bit: 11 });
  const found = missingFeature.exec(line)?.groups;
  if (found === undefined) return false;
  return !hasBit({
    leaf: Number.parseInt(found.leaf ?? found.oldLeaf ?? '', 16),
    subleaf: Number.parseInt(found.subleaf ?? '0', 16),
    register: (found.register ?? '').toLowerCase() as keyof CpuidRegisters,
    bit: Number(found.bit),
  });
}

function hasBit(place: {
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: keyof CpuidRegisters;
  readonly bit: number;
}): boolean {
  const value = executeCpuid(cpu, place.leaf, place.subleaf)[place.register];
  return ((value >>> place.bit) & 1) === 1;
}

/** CPUID_EXT2_AMD_ALIASES of QEMU's target/i386/cpu.h. */
const amdAliases = 0x0183f3ff;

const known: readonly KnownLine[] = [
  {
    pattern: /^warning: prctl\(ARCH_REQ_XCOMP_GUEST_PERM\) failure for feature bit 18$/,
    because: 'asks Linux, which has no AMX to give on this CPU',
  },
  {
    pattern:
      /^warning: (TDX|host) doesn't support requested feature: CPUID\S+80000001h?\S*EDX\S* \[bit (?<bit>\d+)\]$/i,
    because: 'on a CPU of AMD, `-cpu host` copies bits of CPUID 1.EDX into 0x80000001.EDX',
  },
  {
    pattern:
      /^warning: (TDX|host) doesn't support requested feature: CPUID\S+80000001h\S*ECX.cmp-legacy \[bit 1\]$/,
    because:
      'on a CPU that is not of Intel, `-cpu host` sets CmpLegacy where there are more vCPUs than one',
  },
  {
    pattern:
      /^warning: TDX forcibly sets the feature: CPUID\[eax=07h,ecx=00h\]\.EDX\.arch-capabilities \[bit 29\]$/,
    because:
      'on a CPU of AMD, `-cpu host` leaves out IA32_ARCH_CAPABILITIES, which every TD has; with `vendor=GenuineIntel` it does not',
  },
];

function stemsFromThisCpu(line: string): boolean {
  const match = known.map(({ pattern }) => pattern.exec(line)).find((found) => found !== null);
  if (match === undefined || match === null) return false;
  const bit = match.groups?.bit;
  return bit === undefined || ((amdAliases >>> Number(bit)) & 1) === 1;
}

/**
 * What QEMU printed that it would not print on the host that is simulated.
 *
 * @param model a CPU model that asks for features by its own list, and not for those that the CPU has.
 */
export function wronglyPrinted(
  stderr: string,
  { model = false }: { readonly model?: boolean } = {},
): readonly string[] {
  const lines = stderr.matchAll(/^\S*qemu-system-x86_64: (.*)$/gm);
  return [...new Set([...lines].map(([, line = '']) => line))].filter(
    (line) => !stemsFromThisCpu(line) && !(model && isLackedBySimulatedCpu(line)),
  );
}
