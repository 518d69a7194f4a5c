/** Pre-flight says yes exactly when the simulated kernel and module say yes, and else names the same row. */
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { hasMaxVcpusCap, makesCheck } from '../../src/abi/kvm/kernels/record.ts';
import { type CpuidEntry, KVM_CPUID_FLAG_SIGNIFCANT_INDEX } from '../../src/abi/kvm/structs.ts';
import { attributeMask } from '../../src/abi/tdx/attributes.ts';
import { type ModuleReleaseName, moduleReleases } from '../../src/abi/tdx/module-releases.ts';
import type { TdxInitVm, Vm } from '../../src/host/port.ts';
import { openSimulatedHost, type SimulatedHost } from '../../src/host/simulated/index.ts';
import { type InitVmGround, preflightInitVm } from '../../src/plan/preflight.ts';
import {
  type Answer,
  type HostProfile,
  hostProfiles,
  type KernelAbiName,
  kernelAbis,
} from '../../src/simulator/index.ts';

const base: HostProfile = hostProfiles['spr-1.5'];

/** Releases on which KVM offers TDs; the others have no field to read, or lack a feature. */
const releases = (Object.keys(moduleReleases) as ModuleReleaseName[]).filter((release) => {
  const host = openSimulatedHost({ profile: { ...base, module: { release } } });
  return host.tdxMissing === undefined;
});

const kernelNames = Object.keys(kernelAbis) as KernelAbiName[];

interface Case {
  readonly kernelAbi: KernelAbiName;
  readonly release: ModuleReleaseName;
  readonly fiveLevelEpt: boolean;
  readonly tscKhz: number | undefined;
  /** What is asked for where the kernel lets a VMM ask. */
  readonly maxVcpus: number;
  readonly usedSlots: 'none' | 'all';
  readonly cgroup: 'open' | 'full';
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
  kernelAbi: fc.constantFrom(...kernelNames),
  release: fc.constantFrom(...releases),
  fiveLevelEpt: fc.boolean(),
  tscKhz: fc.option(
    fc.oneof(
      fc.integer({ min: 90_000, max: 10_100_000 }),
      fc.constantFrom(0, 99_999, 100_000, 10_000_000, 10_024_999, 10_025_000, 0xffff_ffff),
    ),
    { nil: undefined },
  ),
  maxVcpus: fc.oneof(
    { weight: 3, arbitrary: fc.constant(2) },
    fc.constantFrom(0, 1, 576, 577, 1024, 1025, 1376, 1377, 0xffff, 0x10001),
  ),
  usedSlots: fc.oneof(
    { weight: 6, arbitrary: fc.constant('none' as const) },
    fc.constant('all' as const),
  ),
  cgroup: fc.oneof(
    { weight: 6, arbitrary: fc.constant('open' as const) },
    fc.constant('full' as const),
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

/** Where KVM_CREATE_VM takes the key slot, a VM of a full cgroup never comes to KVM_TDX_INIT_VM. */
const takesSlotEarly = ({ kernelAbi }: Case) =>
  kernelAbis[kernelAbi].keyId.takenAt === 'KVM_CREATE_VM';

function hostOf(given: Case): SimulatedHost {
  const { kernelAbi, release, fiveLevelEpt } = given;
  const platform = { ...base.platform, fiveLevelEpt, keyIds: { mktme: 63, tdxPrivate: 2 } };
  const isFull = given.cgroup === 'full' && !takesSlotEarly(given);
  const cgroupLimits = isFull ? [{ path: '/', max: 0 }] : [];
  const profile = { ...base, platform, cgroupLimits, module: { release } };
  return openSimulatedHost({ kernelAbi, profile });
}

/** kvm->max_vcpus before KVM_TDX_INIT_VM: what was asked for, where the kernel takes that. */
async function maxVcpusOf(vm: Vm, { kernelAbi, maxVcpus }: Case): Promise<number> {
  const abi = kernelAbis[kernelAbi];
  if (hasMaxVcpusCap(abi)) {
    const asked = { capability: 'KVM_CAP_MAX_VCPUS', args: [BigInt(maxVcpus)] } as const;
    if (await succeeds(vm.enableCap(asked))) return maxVcpus;
  }
  return abi.maxVcpus.atCreateVm.length === 0 ? 0 : vm.checkExtension('KVM_CAP_MAX_VCPUS');
}

/** max_vcpus of the struct, where it has the field. */
function maxVcpusInStruct({ kernelAbi, maxVcpus }: Case, ofVm: number): number {
  const mustMatch = makesCheck(
    kernelAbis[kernelAbi],
    'KVM_TDX_INIT_VM',
    'init-vm.max-vcpus-mismatch',
  );
  return mustMatch ? ofVm : maxVcpus;
}

const succeeds = (work: Promise<unknown>) =>
  work.then(
    () => true,
    () => false,
  );

/** Takes the one slot of the host, unless a full cgroup keeps it from that. */
async function takeSlot(host: SimulatedHost, given: Case, params: TdxInitVm) {
  if (takesSlotEarly(given)) return;
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  const { configurableCpuid } = await vm.tdxCapabilities();
  const few = { ...given, maxVcpus: 2 };
  const ofVm = await maxVcpusOf(vm, few);
  await succeeds(
    vm.tdxInitVm({
      ...params,
      maxVcpus: maxVcpusInStruct(few, ofVm),
      attributes: 0n,
      xfam: 3n,
      cpuid: plainCpuid(configurableCpuid, 48),
    }),
  );
}

async function tryOut(given: Case) {
  const host = hostOf(given);
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  const capabilities = await vm.tdxCapabilities();
  const supportedCpuid = await host.getSupportedCpuid();
  const facts = await host.facts();
  const ofVm = await maxVcpusOf(vm, given);
  const params: TdxInitVm = {
    attributes: given.attributes,
    xfam: given.xfam ?? capabilities.supportedXfam,
    maxVcpus: maxVcpusInStruct(given, ofVm),
    mrConfigId: new Uint8Array(48),
    mrOwner: new Uint8Array(48),
    mrOwnerConfig: new Uint8Array(48),
    cpuid: bend(plainCpuid(capabilities.configurableCpuid, given.width), given.cpuid),
  };
  if (given.usedSlots === 'all') await takeSlot(host, given, params);
  let tscKhz = facts.platform.tscKhz;
  if (given.tscKhz !== undefined) {
    // KVM itself refuses some frequencies; then the VM keeps its own.
    const accepted = await succeeds(vm.setTscKhz({ tscKhz: given.tscKhz }));
    if (accepted && given.tscKhz !== 0) tscKhz = given.tscKhz;
  }
  const slots = await host.keySlots();
  const abi = kernelAbis[given.kernelAbi];
  const ground: InitVmGround = {
    checks: abi.checks.KVM_TDX_INIT_VM,
    capabilities,
    supportedCpuid,
    guestAddressWidths: facts.platform.guestAddressWidths,
    tscKhz,
    maxVcpus: abi.maxVcpus.inInitVm ? (params.maxVcpus ?? 0) : ofVm,
    kvmMaxVcpus: facts.kvm.maxVcpus,
    moduleMaxVcpus: facts.module?.maxVcpusPerTd,
    moduleRelease: facts.module?.release,
    freeKeySlots: slots.total - slots.used,
    cgroupRoom: await host.cgroupRoom(),
  };
  const predicted = preflightInitVm(params, ground);
  let answer: Answer | undefined;
  host.machine.listen((event) => {
    if (event.kind === 'ioctl' && event.request.request === 'KVM_TDX_INIT_VM')
      answer = event.answer;
  });
  await succeeds(vm.tdxInitVm(params));
  return { predicted, answer: rowOf(answer) };
}

function rowOf(answer: Answer | undefined) {
  if (answer === undefined) throw new Error('KVM_TDX_INIT_VM was never asked');
  if (answer.ok) return 'ok';
  const { errno, check, moduleCheck } = answer;
  return { errno, check, moduleCheck };
}

const right: Case = {
  kernelAbi: 'upstream-7.3',
  release: '1.5.28',
  fiveLevelEpt: true,
  tscKhz: undefined,
  maxVcpus: 2,
  usedSlots: 'none',
  cgroup: 'open',
  attributes: 0n,
  xfam: undefined,
  width: 48,
  cpuid: [],
};

describe('the pre-flight of KVM_TDX_INIT_VM', () => {
  propertyTest.prop({ given: anyCase }, { numRuns: 3000 })(
    'says yes exactly when the simulated host says yes, and names the row and the errno it gives',
    async ({ given }) => {
      const { predicted, answer } = await tryOut(given);
      const [first] = predicted;
      const expected =
        first === undefined
          ? 'ok'
          : { errno: first.errno, check: first.check, moduleCheck: first.moduleCheck };
      expect(expected, JSON.stringify(predicted)).toEqual(answer);
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
