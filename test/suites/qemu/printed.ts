/**
 * Lines that QEMU prints under exec because of the CPU of the machine that it runs on, where a TDX host
 * would print none: it looks at CPUID itself, which no program can be kept from reading.
 */
interface KnownLine {
  readonly pattern: RegExp;
  readonly because: string;
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

/** What QEMU printed that it would not print on the host that is simulated. */
export function wronglyPrinted(stderr: string): readonly string[] {
  const lines = stderr.matchAll(/^\S*qemu-system-x86_64: (.*)$/gm);
  return [...new Set([...lines].map(([, line = '']) => line))].filter(
    (line) => !stemsFromThisCpu(line),
  );
}
