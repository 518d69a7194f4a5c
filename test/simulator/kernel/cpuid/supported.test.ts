/** KVM_GET_SUPPORTED_CPUID: what KVM makes of the CPU's own, leaf by leaf, as its source has it. */
import { describe, expect, test } from 'vitest';
import { executeCpuid, type RawCpuid } from '../../../../src/abi/cpuid/raw.ts';
import { bitsOf, cpuidRegisters } from '../../../../src/abi/cpuid/registers.ts';
import type { CpuidEntry } from '../../../../src/abi/kvm/structs.ts';
import { type HostProfile, hostProfiles } from '../../../../src/simulator/index.ts';
import { emulatedCpuid } from '../../../../src/simulator/kernel/cpuid/emulated.ts';
import { supportedCpuid } from '../../../../src/simulator/kernel/cpuid/supported.ts';

const profiles = Object.entries(hostProfiles) as [string, HostProfile][];
const hex = (value: number) => (value >>> 0).toString(16).padStart(8, '0');

function offerOf({ platform }: HostProfile) {
  const entries = supportedCpuid(platform);
  const of = (leaf: number) => entries.filter((entry) => entry.function === leaf);
  const first = (leaf: number, index = 0) => {
    const entry = of(leaf).find((each) => each.index === index);
    if (entry === undefined) throw new Error(`no leaf ${hex(leaf)}, subleaf ${index}`);
    return entry;
  };
  return { entries, of, first, cpu: platform.cpuid };
}

const shown = ({ eax, ebx, ecx, edx }: Omit<CpuidEntry, 'function' | 'index' | 'flags'>) =>
  [eax, ebx, ecx, edx].map(hex).join(' ');
const nothing = shown({ eax: 0, ebx: 0, ecx: 0, edx: 0 });

/** What no CPU need have for KVM to show it: it is emulated, or is another bit's meaning for AMD. */
const withoutCpu: [leaf: number, index: number, register: keyof CpuidEntry, bits: number][] = [
  // VMX, X2APIC, TSC_DEADLINE_TIMER, HYPERVISOR
  [1, 0, 'ecx', bitsOf(5, 21, 24, 31)],
  [7, 0, 'ebx', bitsOf(1)],
  [7, 0, 'edx', bitsOf(29)],
  [0x8000_0008, 0, 'ebx', bitsOf(12, 14, 15, 24, 26, 30)],
];

/** Bits that the CPU of a host may have, and that KVM knows for no guest. */
const neverShown: [
  what: string,
  leaf: number,
  index: number,
  register: 'eax' | 'ecx' | 'edx',
  bits: number,
][] = [
  [
    'MONITOR, DS_CPL, SMX, EST, TM2, CNXT_ID, SDBG, xTPR, DCA, OSXSAVE',
    1,
    0,
    'ecx',
    bitsOf(3, 4, 6, 7, 8, 10, 11, 14, 18, 27),
  ],
  ['PSN, ACPI, HTT, TM, PBE', 1, 0, 'edx', bitsOf(18, 22, 28, 29, 31)],
  ['OSPKE, TME, Key Locker, ENQCMD, PKS', 7, 0, 'ecx', bitsOf(4, 13, 23, 29, 31)],
  [
    'SGX_KEYS, UINTR, HYBRID, PCONFIG, ARCH_LBR, CORE_CAPABILITIES',
    7,
    0,
    'edx',
    bitsOf(1, 5, 15, 18, 19, 30),
  ],
  ['LASS, ArchPerfmonExt, FRED, HRESET', 7, 1, 'eax', bitsOf(6, 8, 17, 22)],
];

describe.each(profiles)('KVM_GET_SUPPORTED_CPUID on %s', (name, profile) => {
  const { entries, of, first, cpu } = offerOf(profile);

  test('the list is the one that was read through', async () => {
    const lines = entries.map(
      (entry) =>
        `${hex(entry.function)}.${entry.index} ${entry.flags === 0 ? ' ' : 'i'} ${shown(entry)}`,
    );
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`../../../golden/cpuid/${name}.txt`);
  });

  test('every feature is one of the CPU, or one that KVM makes', () => {
    const leaves = [1, 7, 0x8000_0001, 0x8000_0007, 0x8000_0008];
    for (const entry of entries.filter((each) => leaves.includes(each.function))) {
      const { function: leaf, index } = entry;
      const native = executeCpuid(cpu, leaf, index);
      for (const register of ['ebx', 'ecx', 'edx'] as const) {
        const made = withoutCpu.find(
          (row) => row[0] === leaf && row[1] === index && row[2] === register,
        );
        const extra = entry[register] & ~native[register] & ~(made?.[3] ?? 0);
        expect(hex(extra), `${hex(leaf)}.${index} ${register}`).toBe(hex(0));
      }
    }
  });

  test.each(neverShown)('%s are shown to nobody', (_what, leaf, index, register, bits) => {
    const entry = of(leaf).find((each) => each.index === index);
    expect(hex((entry?.[register] ?? 0) & bits)).toBe(hex(0));
  });

  test('HYPERVISOR is set', () => {
    expect(first(1).ecx >>> 31).toBe(1);
  });

  test('leaves of the host alone are there, and are 0', () => {
    const last = first(0).eax;
    expect(last).toBe(Math.min(executeCpuid(cpu, 0).eax, 0x24));
    for (const leaf of [
      3, 5, 8, 9, 0xc, 0xe, 0xf, 0x10, 0x11, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
    ]) {
      expect(of(leaf).map(shown), hex(leaf)).toEqual([nothing]);
    }
    for (const leaf of [0x19, 0x1a, 0x1b, 0x1c, 0x20, 0x23].filter((each) => each <= last)) {
      expect(of(leaf).map(shown), hex(leaf)).toEqual([nothing]);
    }
    expect(shown(first(6))).toBe('00000004 00000000 00000000 00000000');
  });

  test('the topology is left to user space: one level without anything', () => {
    for (const leaf of [0xb, 0x1f]) {
      expect(of(leaf)).toHaveLength(1);
      expect(first(leaf)).toMatchObject({ index: 0, eax: 0, ebx: 0, ecx: 0 });
    }
  });

  test('the PMU is of version 2 at most, with at most 8 and 3 counters', () => {
    const { eax, ecx, edx } = first(0xa);
    expect(eax & 0xff).toBeLessThanOrEqual(2);
    expect((eax >>> 8) & 0xff).toBeLessThanOrEqual(8);
    expect(edx & 0x1f).toBeLessThanOrEqual(3);
    expect(ecx).toBe(0);
    if ((eax & 0xff) > 0) expect((edx >>> 15) & 1).toBe(1);
  });

  test('sizes of the extended state are those of all that a guest may have', () => {
    const { standard, compacted } = bytesOf(cpu, first(0xd), first(0xd, 1));
    expect(first(0xd)).toMatchObject({ ebx: standard, ecx: standard });
    expect(first(0xd, 1).ebx).toBe(compacted);
    const components = of(0xd).filter(({ index }) => index > 1);
    const mask = BigInt(first(0xd).eax) | BigInt(first(0xd, 1).ecx);
    expect(components.reduce((all, { index }) => all | (1n << BigInt(index)), 3n)).toBe(mask | 3n);
  });

  test('a guest has no more address bits than the CPU, and no more than the page tables reach', () => {
    const { eax } = first(0x8000_0008);
    const [physical, guest] = [eax & 0xff, (eax >>> 16) & 0xff];
    expect(physical).toBe(executeCpuid(cpu, 0x8000_0008).eax & 0xff);
    expect(guest).toBe(profile.platform.fiveLevelEpt ? physical : Math.min(physical, 48));
  });

  test('the hypervisor is KVM', () => {
    const text = ({ ebx, ecx, edx }: CpuidEntry) =>
      Buffer.from(new Uint32Array([ebx, ecx, edx]).buffer).toString('latin1');
    expect(text(first(0x4000_0000))).toBe('KVMKVMKVM\0\0\0');
    expect(first(0x4000_0000).eax).toBe(0x4000_0001);
    // PV_UNHALT is there unless halts do not exit; the stable clock always.
    expect(first(0x4000_0001).eax & bitsOf(7, 24)).toBe(bitsOf(7, 24));
    expect(first(0x4000_0001).edx).toBe(0);
  });

  test('an index counts where a leaf has subleaves, and only there', () => {
    for (const { function: leaf, index, flags } of entries) {
      if (index > 0) expect(flags, hex(leaf)).toBe(1);
    }
    const marked = [
      ...new Set(entries.filter(({ flags }) => flags === 1).map((each) => each.function)),
    ];
    const indexed = [
      4, 7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1d, 0x1e, 0x1f, 0x23, 0x24,
    ];
    expect(marked).toEqual(indexed.filter((leaf) => leaf <= first(0).eax));
  });

  test('no leaf and subleaf is there twice, and registers are 32 bits', () => {
    const keys = entries.map((entry) => `${entry.function}.${entry.index}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const entry of entries) {
      for (const register of cpuidRegisters) {
        expect(Number.isInteger(entry[register]) && entry[register] >= 0).toBe(true);
        expect(entry[register]).toBeLessThanOrEqual(0xffff_ffff);
      }
    }
  });

  test('what is emulated is what the manual of KVM lists', () => {
    expect(
      emulatedCpuid(profile.platform).map((entry) => [entry.function, entry.flags, shown(entry)]),
    ).toEqual([
      [0, 0, '00000007 00000000 00000000 00000000'],
      [1, 0, '00000000 00000000 00400000 00000000'],
      [7, 1, '00000000 00000000 00400000 00000000'],
    ]);
  });
});

/** Sizes by the rule of the manual: at its own offset, or behind the one before. */
function bytesOf(cpu: RawCpuid, user: CpuidEntry, supervisor: CpuidEntry) {
  let standard = 576;
  let compacted = 576;
  const mask = BigInt(user.eax) | BigInt(supervisor.ecx);
  for (let component = 2; component < 32; component++) {
    if (((mask >> BigInt(component)) & 1n) === 0n) continue;
    const { eax: size, ebx: offset, ecx: flags } = executeCpuid(cpu, 0xd, component);
    if ((flags & 1) === 0) standard = Math.max(standard, offset + size);
    if ((flags & 2) !== 0) compacted = Math.ceil(compacted / 64) * 64;
    compacted += size;
  }
  return { standard, compacted };
}
