/** The CPUID of a TD, against what Intel and QEMU say of it in other words. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { executeCpuid } from '../../src/abi/cpuid/raw.ts';
import {
  allZero,
  bitsOf,
  type CpuidRegister,
  type CpuidRegisters,
  cpuidRegisters,
} from '../../src/abi/cpuid/registers.ts';
import { configurableLeaves, nativeLeaf, tdLeaves } from '../../src/abi/tdx/cpuid/td-cpuid.ts';
import { type ModuleReleaseName, moduleReleases } from '../../src/abi/tdx/module-releases.ts';
import type { TdParams } from '../../src/abi/tdx/td-params.ts';
import { hostProfiles } from '../../src/simulator/index.ts';
import { tdParams } from '../simulator/td-params.ts';

const cpu = hostProfiles['spr-1.5'].platform.cpuid;
const releases = Object.keys(moduleReleases) as ModuleReleaseName[];
const allXfam = 0x6_1ae7n;
const topologyLeaf = 0x1f;

/** A TD that takes every bit that it may have, but for the topology, which it takes from the CPU. */
function mostOf(release: ModuleReleaseName): readonly CpuidRegisters[] {
  return configurableLeaves(moduleReleases[release].cpuid, cpu).map((row) =>
    row.leaf === topologyLeaf ? allZero : row,
  );
}

function td(release: ModuleReleaseName, change: Partial<TdParams> = {}) {
  const params = tdParams({ xfam: allXfam, cpuidConfig: [...mostOf(release)], ...change });
  const leaves = tdLeaves({ virtualisation: moduleReleases[release].cpuid, cpu, params });
  return (leaf: number, subleaf?: number) =>
    leaves?.find((row) => row.leaf === leaf && (row.subleaf ?? 0) === (subleaf ?? 0));
}

type BitsOfRegister = [leaf: number, subleaf: number, register: CpuidRegister, bits: number];

/**
 * Source: Intel TDX module ABI 1.5.06, as QEMU's tdx_fixed1_bits has it; without SYSCALL and leaf 6,
 * which QEMU counts with them: the first depends on the mode of the CPU, the other is a #VE.
 */
const fixed1: BitsOfRegister[] = [
  [1, 0, 'ecx', bitsOf(0, 1, 2, 4, 9, 13, 15, 17, 19, 20, 21, 22, 23, 25, 26, 30, 31)],
  [
    1,
    0,
    'edx',
    bitsOf(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 19, 21, 23, 24, 25, 26),
  ],
  [7, 0, 'ebx', bitsOf(0, 6, 7, 10, 13, 18, 20, 23, 24, 29)],
  [7, 0, 'ecx', bitsOf(24, 27, 28)],
  [7, 0, 'edx', bitsOf(10, 26, 27, 28, 29, 30, 31)],
  [7, 2, 'edx', bitsOf(0, 1, 2, 4)],
  [0xd, 0, 'eax', bitsOf(0, 1)],
  [0xd, 1, 'eax', bitsOf(0, 1, 2, 3)],
  [0x8000_0001, 0, 'ecx', bitsOf(0, 5, 8)],
  [0x8000_0001, 0, 'edx', bitsOf(20, 26, 27, 29)],
  [0x8000_0007, 0, 'edx', bitsOf(8)],
];

/** Source: the same, of an earlier series of QEMU (tdx_fixed0_bits). */
const fixed0: BitsOfRegister[] = [
  [1, 0, 'ecx', bitsOf(5, 6)],
  [1, 0, 'edx', bitsOf(17, 30)],
  [7, 0, 'ebx', bitsOf(1, 2, 22)],
  [7, 0, 'ecx', bitsOf(15, 17, 18, 19, 20, 21, 26, 29, 30)],
  [7, 0, 'edx', bitsOf(0, 1, 7, 9, 11, 12, 13, 15, 17, 21)],
  [0x8000_0001, 0, 'ecx', 0xffff_fede],
  [0x8000_0001, 0, 'edx', 0xd3ef_f7ff],
];

const hex = (value: number) => (value >>> 0).toString(16);

/** The releases whose specification the tables are, and those that came before them. */
describe.each(['1.5.01', '1.5.05', '1.5.06'] as const)('a TD of module %s', (release) => {
  const leaf = td(release);

  test.each(fixed1)(
    'has what is fixed to 1 in leaf %i.%i %s',
    (number, subleaf, register, bits) => {
      expect(hex(bits & ~(leaf(number, subleaf)?.[register] ?? 0))).toBe('0');
    },
  );

  test.each(fixed0)(
    'lacks what is fixed to 0 in leaf %i.%i %s',
    (number, subleaf, register, bits) => {
      expect(hex(bits & (leaf(number, subleaf)?.[register] ?? 0))).toBe('0');
    },
  );
});

describe.each(releases)('module %s', (release) => {
  const { cpuid } = moduleReleases[release];

  test('no bit is of two kinds', () => {
    for (const row of cpuid.leaves) {
      for (const register of cpuidRegisters) {
        const kinds = [row.fixed0, row.fixed1, row.direct, row.allowed].map(
          (mask) => mask[register],
        );
        const twice = kinds.map((mask, i) =>
          kinds.slice(i + 1).reduce((all, each) => all | (mask & each), 0),
        );
        expect(twice.map(hex), `${hex(row.leaf)}.${row.subleaf} ${register}`).toEqual([
          '0',
          '0',
          '0',
          '0',
        ]);
      }
    }
  });

  test('a TD has of what it chooses exactly that, and of what it allows what the CPU has', () => {
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    const registers = fc.record({ eax: word, ebx: word, ecx: word, edx: word });
    const calculated = new Set([1, 7, 0xa, 0xd, 0x1c, 0x1f, 0x23, 0x8000_0008]);
    const rows = cpuid.configurable;
    fc.assert(
      fc.property(
        fc.array(registers, { minLength: rows.length, maxLength: rows.length }),
        (chosen) => {
          const choice = rows.map(({ leaf }, i) =>
            leaf === topologyLeaf ? allZero : (chosen[i] ?? allZero),
          );
          const given = td(release, { cpuidConfig: choice });
          for (const [i, row] of rows.entries()) {
            if (calculated.has(row.leaf)) continue;
            const got = given(row.leaf, row.subleaf) ?? allZero;
            const native = nativeLeaf(row, cpu);
            for (const register of cpuidRegisters) {
              const [direct, allowed] = [row.direct[register], row.allowed[register]];
              const wanted = choice[i]?.[register] ?? 0;
              expect(hex(got[register] & direct)).toBe(hex(wanted & direct));
              expect(hex(got[register] & allowed)).toBe(hex(wanted & allowed & native[register]));
            }
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test('what may be configured is never a bit that is fixed', () => {
    for (const [i, row] of configurableLeaves(cpuid, cpu).entries()) {
      const { fixed0: never, fixed1: always } = cpuid.configurable[i] ?? {
        fixed0: allZero,
        fixed1: allZero,
      };
      for (const register of cpuidRegisters) {
        expect(hex(row[register] & (never[register] | always[register]))).toBe('0');
      }
    }
  });
});

describe('what depends on the rest of TD_PARAMS', () => {
  const release = '1.5.28';

  test.each<[what: string, xfam: bigint, BitsOfRegister]>([
    ['AVX', 3n, [1, 0, 'ecx', bitsOf(12, 28, 29)]],
    ['AVX2', 3n, [7, 0, 'ebx', bitsOf(5)]],
    ['AVX-512', 7n, [7, 0, 'ebx', bitsOf(16, 17, 21, 28, 30, 31)]],
    ['protection keys', 7n, [7, 0, 'ecx', bitsOf(3)]],
    ['CET', 7n, [7, 0, 'ecx', bitsOf(7)]],
    ['AMX', 7n, [7, 0, 'edx', bitsOf(22, 24, 25)]],
  ])(
    'without XFAM for %s a TD has none of its bits, and with it those of the CPU',
    (_what, xfam, at) => {
      const [leaf, subleaf, register, bits] = at;
      expect(hex((td(release, { xfam })(leaf, subleaf)?.[register] ?? 0) & bits)).toBe('0');
      const native = executeCpuid(cpu, leaf, subleaf)[register] & bits;
      expect(hex((td(release)(leaf, subleaf)?.[register] ?? 0) & bits)).toBe(hex(native));
    },
  );

  test('the PMU is there for a TD with PERFMON', () => {
    expect(td(release)(0xa)).toMatchObject(allZero);
    const pmu = td(release, { attributes: 1n << 63n })(0xa);
    expect(pmu?.eax).toBe(executeCpuid(cpu, 0xa).eax);
  });

  test('the TSC frequency is that of TD_PARAMS, over a crystal of 25 MHz', () => {
    expect(td(release, { tscFrequency: 100 })(0x15)).toMatchObject({
      eax: 1,
      ebx: 100,
      ecx: 25_000_000,
    });
  });

  test('XFAM decides the components of extended state and their size', () => {
    expect(td(release, { xfam: 3n })(0xd)).toMatchObject({ eax: 3, ecx: 576 });
    expect(td(release, { xfam: 7n })(0xd)).toMatchObject({ eax: 7, ecx: 832 });
    expect(td(release, { xfam: 7n })(0xd, 17)).toMatchObject(allZero);
    expect(td(release)(0xd, 18)).toMatchObject({ eax: 8192 });
  });
});

describe('the topology in leaf 0x1f', () => {
  const release = '1.5.28';
  const level = (subleaf: number, type: number, ebx = 4): CpuidRegisters => ({
    ...allZero,
    eax: type === 0 ? 0 : subleaf + 1,
    ebx: type === 0 ? 0 : ebx,
    ecx: (type << 8) | subleaf,
  });
  const withLevels = (...levels: CpuidRegisters[]) => {
    const places = moduleReleases[release].cpuid.configurable;
    let next = 0;
    const cpuidConfig = places.map(({ leaf }, i) =>
      leaf === topologyLeaf ? (levels[next++] ?? allZero) : (mostOf(release)[i] ?? allZero),
    );
    return td(release, { cpuidConfig });
  };

  test('threads and cores are taken, and leaf 0xb follows', () => {
    const leaf = withLevels(level(0, 1, 2), level(1, 2, 8), level(2, 0));
    expect(leaf(0x1f)).toMatchObject({ ecx: 0x100, ebx: 2 });
    expect(leaf(0x1f, 1)).toMatchObject({ ecx: 0x201, ebx: 8 });
    expect(leaf(0xb)).toMatchObject({ ecx: 0x100 });
    expect(leaf(0xb, 1)).toMatchObject({ ecx: 0x201 });
  });

  test.each<[string, CpuidRegisters[]]>([
    ['types that go down', [level(0, 2), level(1, 1)]],
    ['threads alone', [level(0, 1), level(1, 0)]],
    ['a number that is not that of the subleaf', [level(1, 1), level(1, 2)]],
    ['nothing first and something then', [allZero, level(1, 2)]],
    ['an unknown type', [level(0, 1), level(1, 2), level(2, 6)]],
  ])('%s: not recognised', (_what, levels) => {
    expect(withLevels(...levels)(1)).toBeUndefined();
  });

  test('where nothing is given the CPU is what a TD has', () => {
    const leaf = td(release);
    expect(leaf(0x1f)?.ecx).toBe(executeCpuid(cpu, 0x1f, 0).ecx);
  });
});

/** What a module demands of the CPU before it starts, in fixed bits of cpuid_configurations.c. */
describe.each(Object.entries(hostProfiles))('the CPU of %s', (_name, { platform }) => {
  test.each<[leaf: number, subleaf: number, register: CpuidRegister, mask: number, value: number]>([
    [1, 0, 'ecx', 0x47fa_a217, 0x47fa_a217],
    [1, 0, 'edx', 0x1fa9_fbff, 0x1fa9_fbff],
    [7, 0, 'ebx', 0x2194_24c3, 0x2194_24c3],
    [7, 0, 'ecx', 0x1900_0000, 0x1900_0000],
    [7, 0, 'edx', 0xfc08_2600, 0xfc08_0400],
    [7, 2, 'edx', 0x17, 0x17],
    [0xd, 1, 'ecx', 0x1800, 0x1800],
    [0x14, 0, 'eax', 0xffff_ffff, 1],
    [0x8000_0001, 0, 'ecx', 0x121, 0x121],
    [0x8000_0001, 0, 'edx', 0x2c10_0000, 0x2c10_0000],
    [0x8000_0006, 0, 'ecx', 0xff, 0x40],
    [0x8000_0007, 0, 'edx', 0x100, 0x100],
    [0x8000_0008, 0, 'ebx', 0x200, 0x200],
  ])(
    'a TDX module finds what it needs in leaf %i.%i %s',
    (leaf, subleaf, register, mask, value) => {
      expect(hex(executeCpuid(platform.cpuid, leaf, subleaf)[register] & mask)).toBe(hex(value));
    },
  );
});
