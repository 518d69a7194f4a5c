/** Pre-flight says yes exactly when the simulated kernel and module say yes, and the same errno. */
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type CpuidEntry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX } from '../../src/abi/kvm/structs.ts';
import { attributeMask } from '../../src/abi/tdx/attributes.ts';
import { type ModuleReleaseName, moduleReleases } from '../../src/abi/tdx/module-releases.ts';
import { KvmError } from '../../src/host/kvm-error.ts';
import type { TdxInitVm } from '../../src/host/port.ts';
import { openSimulatedHost, type SimulatedHost } from '../../src/host/simulated/index.ts';
import { type InitVmGround, preflightInitVm } from '../../src/plan/preflight.ts';
import { type HostProfile, hostProfiles } from '../../src/simulator/index.ts';

const base: HostProfile = hostProfiles['spr-1.5'];

/** Releases on which KVM offers TDs; the others have no field to read, or lack a feature. */
const releases = (Object.keys(moduleReleases) as ModuleReleaseName[]).filter((release) => {
  const host = openSimulatedHost({ profile: { ...base, module: { release } } });
  return host.tdxMissing === undefined;
});

interface Case {
  readonly kernelAbi: 'upstream-7.3' | 'upstream-6.16';
  readonly release: ModuleReleaseName;
  readonly fiveLevelEpt: boolean;
  readonly tscKhz: number | undefined;
  readonly usedSlots: 'none' | 'all';
  readonly attributes: bigint;
  readonly xfam: bigint | undefined;
  readonly width: number;
  readonly cpuid: readonly CpuidChange[];
}

/** A way to bend a right CPUID list. */
type CpuidChange =
  | { readonly change: 'drop'; readonly leaf: number }
  | { readonly change: 'repeat'; readonly leaf: number }
  | { readonly change: 'unmark'; readonly leaf: number }
  | {
      readonly change: 'flip';
      readonly leaf: number;
      readonly register: number;
      readonly bit: number;
    }
  | { readonly change: 'add'; readonly function: number };

const index = fc.nat({ max: 40 });
const cpuidChange: fc.Arbitrary<CpuidChange> = fc.oneof(
  fc.record({
    change: fc.constantFrom('drop' as const, 'repeat' as const, 'unmark' as const),
    leaf: index,
  }),
  fc.record({
    change: fc.constant('flip' as const),
    leaf: index,
    register: fc.nat({ max: 3 }),
    bit: fc.nat({ max: 31 }),
  }),
  fc.record({ change: fc.constant('add' as const), function: fc.nat({ max: 0x20 }) }),
);

const anyCase: fc.Arbitrary<Case> = fc.record({
  kernelAbi: fc.constantFrom('upstream-7.3', 'upstream-6.16'),
  release: fc.constantFrom(...releases),
  fiveLevelEpt: fc.boolean(),
  tscKhz: fc.option(
    fc.oneof(
      fc.integer({ min: 90_000, max: 10_100_000 }),
      fc.constantFrom(0, 99_999, 100_000, 10_000_000, 10_024_999, 10_025_000, 0xffff_ffff),
    ),
    { nil: undefined },
  ),
  usedSlots: fc.oneof(
    { weight: 6, arbitrary: fc.constant('none' as const) },
    fc.constant('all' as const),
  ),
  attributes: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(0n, attributeMask['sept-ve-disable']) },
    fc.constantFrom(...Object.values(attributeMask), 1n << 40n),
  ),
  xfam: fc.option(fc.bigInt({ min: 0n, max: 0x7ffffn }), { nil: undefined }),
  width: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(48, 52) }, fc.nat({ max: 255 })),
  cpuid: fc.array(cpuidChange, { maxLength: 2 }),
});

const registers = ['eax', 'ebx', 'ecx', 'edx'] as const;

function bend(entries: readonly CpuidEntry[], changes: readonly CpuidChange[]): CpuidEntry[] {
  let bent = [...entries];
  for (const change of changes) bent = bendOnce(bent, change);
  return bent;
}

const noRegisters = { index: 0, flags: 0, eax: 0, ebx: 0, ecx: 0, edx: 0 };

function bendOnce(list: CpuidEntry[], change: CpuidChange): CpuidEntry[] {
  if (change.change === 'add') return [...list, { function: change.function, ...noRegisters }];
  const at = change.leaf % Math.max(1, list.length);
  const entry = list[at];
  if (!entry) return list;
  switch (change.change) {
    case 'drop':
      return list.filter((_, other) => other !== at);
    case 'repeat':
      return [...list, { ...entry }];
    case 'unmark':
      return list.with(at, { ...entry, flags: 0 });
    case 'flip': {
      const register = registers[change.register] ?? 'eax';
      return list.with(at, { ...entry, [register]: (entry[register] ^ (1 << change.bit)) >>> 0 });
    }
  }
}

/** A list that the host takes: every configurable leaf, marked, with no bit chosen but the width. */
function plainCpuid(leaves: readonly CpuidEntry[], width: number): CpuidEntry[] {
  return leaves.map((leaf) => ({
    ...leaf,
    flags: leaf.function === 0x8000_0008 ? 0 : KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
    eax: leaf.function === 0x8000_0008 ? width << 16 : 0,
    ebx: 0,
    ecx: 0,
    edx: 0,
  }));
}

function hostOf({ kernelAbi, release, fiveLevelEpt }: Case): SimulatedHost {
  const platform = { ...base.platform, fiveLevelEpt, keyIds: { mktme: 63, tdxPrivate: 2 } };
  return openSimulatedHost({ kernelAbi, profile: { ...base, platform, module: { release } } });
}

/** Takes the one slot of the host. */
async function takeSlot(host: SimulatedHost, params: TdxInitVm) {
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  const { configurableCpuid } = await vm.tdxCapabilities();
  await vm.tdxInitVm({
    ...params,
    attributes: 0n,
    xfam: 3n,
    cpuid: plainCpuid(configurableCpuid, 48),
  });
}

async function tryOut(given: Case) {
  const host = hostOf(given);
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  const capabilities = await vm.tdxCapabilities();
  const supportedCpuid = await host.getSupportedCpuid();
  const facts = await host.facts();
  const params: TdxInitVm = {
    attributes: given.attributes,
    xfam: given.xfam ?? capabilities.supportedXfam,
    mrConfigId: new Uint8Array(48),
    mrOwner: new Uint8Array(48),
    mrOwnerConfig: new Uint8Array(48),
    cpuid: bend(plainCpuid(capabilities.configurableCpuid, given.width), given.cpuid),
  };
  if (given.usedSlots === 'all') await takeSlot(host, params);
  let tscKhz = facts.platform.tscKhz;
  if (given.tscKhz !== undefined) {
    // KVM itself refuses some frequencies; then the VM keeps its own.
    const accepted = await vm.setTscKhz({ tscKhz: given.tscKhz }).then(
      () => true,
      () => false,
    );
    if (accepted && given.tscKhz !== 0) tscKhz = given.tscKhz;
  }
  const slots = await host.keySlots();
  const ground: InitVmGround = {
    capabilities,
    supportedCpuid,
    guestAddressWidths: facts.platform.guestAddressWidths,
    tscKhz,
    maxVcpus: await vm.checkExtension('KVM_CAP_MAX_VCPUS'),
    moduleMaxVcpus: facts.module?.maxVcpusPerTd,
    freeKeySlots: slots.total - slots.used,
    cgroupRoom: undefined,
  };
  const predicted = preflightInitVm(params, ground);
  const answer = await vm.tdxInitVm(params).then(
    () => 'ok',
    (error: unknown) => {
      if (error instanceof KvmError) return error.code;
      throw error;
    },
  );
  return { predicted, answer };
}

const right: Case = {
  kernelAbi: 'upstream-7.3',
  release: '1.5.28',
  fiveLevelEpt: true,
  tscKhz: undefined,
  usedSlots: 'none',
  attributes: 0n,
  xfam: undefined,
  width: 48,
  cpuid: [],
};

describe('the pre-flight of KVM_TDX_INIT_VM', () => {
  propertyTest.prop({ given: anyCase }, { numRuns: 2000 })(
    'says yes exactly when the simulated host says yes, and names the errno it gives',
    async ({ given }) => {
      const { predicted, answer } = await tryOut(given);
      expect(predicted[0]?.errno ?? 'ok', JSON.stringify(predicted)).toBe(answer);
    },
  );

  test('is tried on every module release on which KVM offers TDs', () => {
    expect(releases).toEqual(['1.5.05', '1.5.06', '1.5.28', '2.0.02', '2.0.08']);
  });

  test.each<[title: string, change: Partial<Case>, field: string, problem: RegExp]>([
    [
      'an attribute',
      { attributes: attributeMask.perfmon },
      'attributes',
      /`perfmon` is not supported/,
    ],
    ['an XFAM feature', { xfam: 0x100n }, 'xfam', /`pt` is not supported/],
    ['XFAM without what it needs', { xfam: 0x20n | 3n }, 'xfam', /avx/],
    ['52 bits without 5-level EPT', { width: 52, fiveLevelEpt: false }, 'gpaw', /5-level EPT/],
    ['a width that no TD has', { width: 46 }, 'gpaw', /46 address bits/],
    ['a slow TSC', { tscKhz: 99_000 }, 'tsc', /99 MHz/],
    ['a full host', { usedSlots: 'all' }, 'keySlot', /no key slot/],
    [
      'a leaf that is not configurable',
      { cpuid: [{ change: 'add', function: 2 }] },
      'cpuid',
      /0x2/,
    ],
  ])('names %s by field', async (_title, change, field, problem) => {
    const { predicted, answer } = await tryOut({ ...right, ...change });
    expect(answer).not.toBe('ok');
    expect(predicted[0]).toMatchObject({ field, problem: expect.stringMatching(problem) });
  });

  test('lists every mistake, not the first', async () => {
    const { predicted } = await tryOut({
      ...right,
      attributes: attributeMask.debug,
      xfam: 0x100n,
      width: 46,
      usedSlots: 'all',
      tscKhz: 50_000,
    });
    expect(new Set(predicted.map(({ field }) => field))).toEqual(
      new Set(['attributes', 'xfam', 'gpaw', 'keySlot', 'tsc']),
    );
  });
});
