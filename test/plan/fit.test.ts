import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { KvmError } from '../../src/host/kvm-error.ts';
import { type KnownHost, readHostOffer } from '../../src/host/offer.ts';
import { openSimulatedHost } from '../../src/host/simulated/index.ts';
import { simulatedAsKnown } from '../../src/host/simulated/known-host.ts';
import { judgeHost, runningOn } from '../../src/plan/fit/index.ts';
import { initVmParams } from '../../src/plan/init-vm.ts';
import { prepareTd } from '../../src/plan/judge/index.ts';
import {
  cpuidOfHost,
  type HostProfile,
  type HostProfileName,
  hostProfiles,
} from '../../src/simulator/index.ts';
import { parseTrustDomain } from '../../src/spec/index.ts';
import type { TrustDomain } from '../../src/spec/trust-domain.ts';

const kernel = 'upstream-7.3';

function specOf(fields: Record<string, unknown> = {}): TrustDomain {
  const text = JSON.stringify({
    apiVersion: 'tdctl.io/v1alpha1',
    kind: 'TrustDomain',
    metadata: { name: 'td' },
    spec: { vcpus: 2, memory: '1GiB', firmware: 'none.fd', ...fields },
  });
  return parseTrustDomain(text, { path: 'td.yaml' });
}

const judge = (spec: TrustDomain, given: Parameters<typeof judgeHost>[1]) =>
  judgeHost([{ name: spec.name, td: prepareTd(spec) }], given);

const hostOf = (profile: HostProfile) => simulatedAsKnown(profile, { name: profile.name, kernel });

/** The ids of the reasons against a start. */
async function against(profile: HostProfile, fields: Record<string, unknown> = {}) {
  const { reasons } = judge(specOf(fields), { host: await hostOf(profile) });
  return reasons.map(({ id }) => id);
}

async function againstMove(
  { from, to }: { from: HostProfile; to: HostProfile },
  fields: Record<string, unknown> = {},
) {
  const spec = specOf(fields);
  const { offer } = await hostOf(from);
  if (offer === undefined) throw new Error('the source offers TDs');
  const { migrationReasons = [], verdict } = judge(spec, {
    host: await hostOf(to),
    td: runningOn(spec, offer),
  });
  return { ids: [...new Set(migrationReasons.map(({ id }) => id))], verdict };
}

const spr: HostProfile = hostProfiles['spr-1.5'];
const withPlatform = (platform: Partial<HostProfile['platform']>): HostProfile => ({
  ...spr,
  platform: { ...spr.platform, ...platform },
});

/** The same host with CPUs that have less extended state. */
const withXfam = (xfam: bigint): HostProfile =>
  withPlatform({
    cpuid: cpuidOfHost(spr.platform.cpuid, {
      ...spr.platform,
      signature: 0x000806f8,
      physicalAddressBits: 52,
      xfam,
    }),
  });

/** The same host without a leaf of CPUID, or with one changed. */
const withoutBit = (leaf: number, register: 'ebx' | 'edx', bit: number): HostProfile =>
  withPlatform({
    cpuid: spr.platform.cpuid.map((entry) =>
      entry.leaf === leaf && (entry.subleaf ?? 0) === 0
        ? { ...entry, [register]: (entry[register] & ~(1 << bit)) >>> 0 }
        : entry,
    ),
  });

describe('a host cannot take a TD', () => {
  test.each<[string, HostProfile, Record<string, unknown>, string]>([
    ['with more vCPUs than it has CPUs', spr, { vcpus: 225 }, 'vcpus'],
    ['with an attribute it does not have', spr, { attributes: ['perfmon'] }, 'attributes'],
    [
      'with XFAM it does not have',
      hostProfiles['small-client'],
      { xfam: ['x87', 'sse', 'amx'] },
      'xfam',
    ],
    ['with wider addresses', hostProfiles['small-client'], { gpaw: 52 }, 'addressWidth'],
    ['with more memory than it has', hostProfiles['small-client'], { memory: '32GiB' }, 'memory'],
    ['where the module gives less than a vCPU for each CPU', hostProfiles.mismatch, {}, 'tdx'],
    ['where no module is loaded', { ...spr, module: undefined }, {}, 'tdx'],
    ['where no key slot is free', { ...spr, foreignTds: 63 }, {}, 'keySlot'],
    ['where the cgroup is full', { ...spr, cgroupLimits: [{ path: '/', max: 0 }] }, {}, 'cgroup'],
    [
      'with another clock where KVM cannot scale',
      withPlatform({ features: { ...spr.platform.features, tscScaling: false } }),
      { tsc: '1GHz' },
      'tsc',
    ],
  ])('a host cannot take a TD %s', async (_what, profile, fields, id) => {
    expect(await against(profile, fields)).toEqual([id]);
  });

  test('a host says all its reasons at once, what no other moment would change told apart', async () => {
    const profile = { ...hostProfiles['small-client'], foreignTds: 15 };
    const spec = specOf({ vcpus: 9, gpaw: 52, memory: '64GiB', xfam: ['x87', 'sse', 'amx'] });
    const { reasons, verdict } = judge(spec, { host: await hostOf(profile) });
    expect(verdict).toBe('cannot');
    expect(reasons.map(({ id, holds }) => `${id} ${holds}`)).toEqual([
      'vcpus always',
      'xfam always',
      'addressWidth always',
      'keySlot now',
      'memory always',
    ]);
  });
});

describe('a host of which little is known', () => {
  const blank: KnownHost = {
    simulated: false,
    name: 'blank',
    offer: undefined,
    obstacles: [],
    unknown: ['what KVM offers TDs'],
    presentCpus: undefined,
    keySlots: undefined,
    cgroupRoom: undefined,
    memory: undefined,
    tscScaling: undefined,
  };

  test('a host of which little is known is neither fit nor unfit', () => {
    expect(judge(specOf(), { host: blank }).verdict).toBe('unknown');
  });

  test('a host of which little is known cannot take a TD that what is known rules out', () => {
    const { verdict, reasons } = judge(specOf({ vcpus: 9 }), {
      host: { ...blank, presentCpus: 8 },
    });
    expect(verdict).toBe('cannot');
    expect(reasons[0]?.id).toBe('vcpus');
  });
});

describe('a TD can be moved', () => {
  test('a TD can be moved to the same kind of host', async () => {
    expect(await againstMove({ from: spr, to: spr })).toEqual({ ids: [], verdict: 'migrates' });
  });

  test('a TD can be moved to CPUs without AMX, if it was made without', async () => {
    const { verdict } = await againstMove(
      {
        from: spr,
        to: withXfam(0x1ae7n),
      },
      { xfam: ['x87', 'sse', 'avx'] },
    );
    expect(verdict).toBe('migrates');
  });

  test('a TD can be moved to another number of CPUs, as long as the module takes its MAX_VCPUS', async () => {
    const { verdict } = await againstMove({ from: spr, to: withPlatform({ coresPerPackage: 16 }) });
    expect(verdict).toBe('migrates');
  });
});

describe('a TD cannot be moved', () => {
  const scaling = { ...spr.platform.features, tscScaling: false };
  test.each<[string, { from: HostProfile; to: HostProfile }, string]>([
    [
      'where the module takes fewer vCPUs than it was made for',
      {
        from: spr,
        to: {
          ...withPlatform({ packages: 1, coresPerPackage: 4 }),
          module: { release: '1.5.28', maxVcpusPerTd: 16 },
        },
      },
      'module',
    ],
    [
      'where XFAM that it took from its host is missing',
      { from: spr, to: withXfam(0x1a07n) },
      'xfam',
    ],
    [
      'where the CPUs lack a feature that it has',
      { from: spr, to: withoutBit(7, 'ebx', 29) },
      'cpuid',
    ],
    ['to another CPU model', { from: spr, to: hostProfiles['gnr-2.0'] }, 'cpuid'],
    [
      'to another clock where KVM cannot scale',
      { from: spr, to: withPlatform({ features: scaling, tscKhz: 1_900_000 }) },
      'tsc',
    ],
  ])('a TD cannot be moved %s, though it could be started there', async (_what, hosts, id) => {
    const { ids, verdict } = await againstMove(hosts);
    expect(ids).toContain(id);
    expect(verdict).toBe('fits');
  });

  test('a TD cannot be moved where its address width is missing', async () => {
    const { ids } = await againstMove(
      { from: spr, to: withPlatform({ fiveLevelEpt: false }) },
      { gpaw: 52 },
    );
    expect(ids).toContain('addressWidth');
  });
});

describe('the verdict', () => {
  const names = Object.keys(hostProfiles) as HostProfileName[];
  const fields = fc.record({
    vcpus: fc.constantFrom(1, 8, 9, 224, 225, 256, 257, 576, 688, 689),
    gpaw: fc.constantFrom(48, 52),
    attributes: fc.constantFrom(['sept-ve-disable'], [], ['perfmon'], ['debug']),
    xfam: fc.constantFrom(undefined, ['x87', 'sse'], ['x87', 'sse', 'avx', 'amx']),
    foreignTds: fc.constantFrom(0, 15, 31, 63),
  });

  propertyTest.prop({ name: fc.constantFrom(...names), fields }, { numRuns: 400 })(
    'is that of the simulated host when it is asked in earnest',
    async ({ name, fields: { foreignTds, xfam, ...spec } }) => {
      const slots = hostProfiles[name].platform.keyIds.tdxPrivate - 1;
      const profile = { ...hostProfiles[name], foreignTds: Math.min(foreignTds, slots) };
      const td = specOf({ ...spec, ...(xfam === undefined ? {} : { xfam }) });
      const { verdict, reasons } = judge(td, { host: await hostOf(profile) });
      const answer = await tryOut(profile, td);
      expect(verdict, `${JSON.stringify(reasons)} against ${answer}`).toBe(
        answer === 'ok' ? 'fits' : 'cannot',
      );
    },
  );
});

async function tryOut(profile: HostProfile, spec: TrustDomain): Promise<string> {
  try {
    const host = openSimulatedHost({ profile, kernelAbi: kernel });
    const offer = await readHostOffer(host);
    const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
    await vm.enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args: [24n] });
    await vm.tdxInitVm(initVmParams(spec, offer));
    for (let id = 0; id < spec.maxVcpus; id++) await vm.createVcpu({ id });
    return 'ok';
  } catch (error) {
    if (error instanceof KvmError) return error.code;
    return 'no TDX';
  }
}
