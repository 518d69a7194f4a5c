/** SimulatedHost files: what is written is what the host is, and mistakes are named with their place. */
import { executeCpuid, rawXstate } from '../../src/abi/cpuid/raw.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
import { simulatedHostJsonSchemaText } from '../../src/host/simulated/host-file/json-schema.ts';
import {
  loadHostFile,
  parseHostFile,
  simulatedHostFormat,
} from '../../src/host/simulated/host-file/load.ts';
import { openSimulatedHost, profileNames } from '../../src/host/simulated/index.ts';
import { hostProfiles, presentCpus } from '../../src/simulator/index.ts';

const spr = hostProfiles['spr-1.5'];

function hostText(spec: string): string {
  const head = 'apiVersion: tdctl.io/v1alpha1\nkind: SimulatedHost\nmetadata: { name: a }\n';
  return `${head}spec:\n${spec.replaceAll(/^/gm, '  ')}\n`;
}

const read = (spec: string) => parseHostFile(hostText(spec), './a.yaml');

async function refusal(spec: string): Promise<TdctlError> {
  const error = await read(spec).catch((thrown: unknown) => thrown);
  if (!(error instanceof TdctlError)) throw new Error(`not refused: ${spec}`);
  return error;
}

test('a file that only names its profile is that profile under the name of the file', async () => {
  for (const name of Object.keys(hostProfiles)) {
    const profile = await read(`from: ${name}`);
    const base = hostProfiles[name as keyof typeof hostProfiles];
    expect(profile.name).toBe('./a.yaml');
    expect(profile.platform).toEqual(base.platform);
    expect(profile.module).toEqual(base.module);
    expect(profile.kvmMaxVcpus).toBe(base.kvmMaxVcpus);
  }
});

test('every field that is given wins over the profile', async () => {
  const profile = await read(`from: gnr-2.0
description: mine
platform:
  packages: 1
  coresPerPackage: 3
  threadsPerCore: 1
  offlineCpus: 1
  memory: 64GiB
  keyIds: { mktme: 3, tdxPrivate: 5 }
  guestAddressWidth: 48
  physicalAddressWidth: 46
  tsc: 3GHz
  xfam: [avx]
  features: { tscScaling: false }
module: { release: 1.5.05, maxVcpusPerTd: 100 }
kvm: { maxVcpus: 2048, capabilities: { KVM_CAP_X86_SMM: 0 } }
foreignTds: 2
cgroupLimits: [{ path: /, max: 1 }]`);
  expect(profile).toMatchObject({
    description: 'mine',
    platform: {
      packages: 1,
      coresPerPackage: 3,
      threadsPerCore: 1,
      offlineCpus: 1,
      memoryBytes: 64n << 30n,
      keyIds: { mktme: 3, tdxPrivate: 5 },
      fiveLevelEpt: false,
      tscKhz: 3_000_000,
      features: { tscScaling: false, busLockDetection: true, notifyVmExit: true, pmu: true },
    },
    module: { release: '1.5.05', maxVcpusPerTd: 100 },
    kvmMaxVcpus: 2048,
    recordedCapabilities: { KVM_CAP_X86_SMM: 0 },
    foreignTds: 2,
    cgroupLimits: [{ path: '/', max: 1 }],
  });
  const { cpuid } = profile.platform;
  expect(rawXstate(cpuid).xcr0).toBe(0x7n);
  expect(executeCpuid(cpuid, 0x8000_0008).eax & 0xff).toBe(46);
});

test('a host from a file answers as it says', async () => {
  const host = openSimulatedHost({ profile: await read('platform: { packages: 1 }') });
  expect(await host.facts()).toMatchObject({
    name: 'sim:./a.yaml',
    platform: { packages: 1, presentCpus: 112 },
  });
});

describe('the module', () => {
  test('keeps no limit of another release', async () => {
    const profile = await read('from: small-client\nmodule: { release: 2.0.08 }');
    expect(profile.module).toEqual({ release: '2.0.08' });
  });

  test('may be missing: KVM offers no TDs', async () => {
    const host = openSimulatedHost({ profile: await read('module: { loaded: false }') });
    expect(host.tdxMissing).toBe('the TDX module is not loaded');
  });
});

describe('a mistake', () => {
  test.each([
    ['from: spr1.5', 'spec.from', 'did you mean spr-1.5?'],
    ['platfrom: {}', 'spec.platfrom', 'did you mean platform?'],
    ['platform: { memory: 512GB }', 'spec.platform.memory', 'write 512GiB'],
    ['platform: { packages: 9 }', 'spec.platform.packages', 'must be at most 8'],
    ['platform: { xfam: [avx-512] }', 'spec.platform.xfam.0', 'did you mean avx512?'],
    ['module: { release: 1.5 }', 'spec.module.release', 'this is the number 1.5'],
    ['platform: { offlineCpus: 224 }', 'spec.platform.offlineCpus', 'which are 224'],
    ['foreignTds: 64', 'spec.foreignTds', 'which is 63'],
    [
      'platform: { keyIds: { mktme: 2000, tdxPrivate: 64 } }',
      'spec.platform.keyIds',
      'less than 2048',
    ],
    ['kvm: { capabilities: { KVM_CAP_X86_SMN: 1 } }', 'KVM_CAP_X86_SMN', ''],
  ])('%s', async (spec, field, problem) => {
    const error = await refusal(spec);
    expect(error.code).toBe('TDCTL_E_SPEC_INVALID');
    expect(error.details.join('\n')).toContain(field);
    expect(error.details.join('\n')).toContain(problem);
    expect(error.details[0]).toMatch(/^\.\/a\.yaml:5:\d+: /);
  });

  test('in JSON has its place too', async () => {
    const text = '{\n"apiVersion": "tdctl.io/v1alpha1",\n"kind": "SimulatedHst"}';
    await expect(parseHostFile(text, 'a.json')).rejects.toMatchObject({
      details: expect.arrayContaining([expect.stringMatching(/^a\.json:3:9: kind: /)]),
    });
  });

  test('a file that is not there is said so', async () => {
    await expect(loadHostFile('examples/hosts/edge-bx.yaml')).rejects.toMatchObject({
      code: 'TDCTL_E_NOT_FOUND',
      hint: expect.stringContaining('edge-box.yaml'),
    });
  });
});

describe('examples/hosts', () => {
  const directory = join(import.meta.dirname, '../../examples/hosts');
  test.each(readdirSync(directory))('%s loads and offers TDs', async (file) => {
    const profile = await loadHostFile(join(directory, file));
    expect(openSimulatedHost({ profile }).tdxMissing).toBeUndefined();
    expect(presentCpus(profile.platform)).not.toBe(presentCpus(spr.platform));
  });
});

describe('schema/simulated-host.json', () => {
  const { fields } = simulatedHostFormat;

  test('is what the schema exports now (else: npm run build && node scripts/export-schema.mjs)', () => {
    expect(readFileSync('schema/simulated-host.json', 'utf8')).toBe(simulatedHostJsonSchemaText());
  });

  test.each(fields.all.map((path) => path.join('.')))('has a doc for %s', (field) => {
    const doc = fields.doc(field.split('.'));
    expect(doc?.description).toMatch(/^\S.{8,}\.$/s);
    expect(doc?.example).toBeDefined();
  });
});

describe('docs/host-files.md', () => {
  const page = readFileSync('docs/host-files.md', 'utf8');

  test.each(
    simulatedHostFormat.fields.all
      .map((path) => path.join('.'))
      .filter((field) => field.startsWith('spec.')),
  )('has a row for %s', (field) => {
    expect(page).toContain(`| \`${field}\` |`);
  });

  test('has every profile', () => {
    for (const name of profileNames) expect(page).toContain(`| \`${name}\` |`);
  });
});
