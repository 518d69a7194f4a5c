import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { captureOf, captureToHostProfile } from '../../../src/diagnosis/capture/index.ts';
import { nearestRelease } from '../../../src/diagnosis/capture/to-host-profile.ts';
import { readFacts } from '../../../src/diagnosis/doctor/index.ts';
import { createSimulatedHost, onlineCpus, presentCpus } from '../../../src/simulator/index.ts';
import { supportedFeatures } from '../../../src/simulator/kernel/cpuid/cpu-caps.ts';
import { hostTree } from '../doctor/host-tree.ts';

async function capture(fixture: string) {
  const directory = hostTree(fixture);
  try {
    return captureOf(await readFacts(directory), { tdctl: '0.0.0-test' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('a captured host as a simulated one', () => {
  test('has its CPUs, key slots, memory, clock and module', async () => {
    const profile = captureToHostProfile(await capture('healthy'), 'node1');
    const { platform, module, kvmMaxVcpus, name } = profile;
    expect({ name, module, kvmMaxVcpus }).toEqual({
      name: 'node1',
      module: { release: '1.5.28' },
      kvmMaxVcpus: 1024,
    });
    expect(platform).toMatchObject({
      packages: 2,
      coresPerPackage: 32,
      threadsPerCore: 2,
      offlineCpus: 0,
      memoryBytes: 262660000n * 1024n,
      keyIds: { mktme: 63, tdxPrivate: 64 },
      fiveLevelEpt: true,
      tscKhz: 1_900_000,
      features: { tscScaling: true, busLockDetection: true, notifyVmExit: true, pmu: true },
    });
    expect(presentCpus(platform)).toBe(128);
    const { xcr0, xss } = supportedFeatures(platform);
    expect(xcr0 | xss).toBe(0x61ae7n);
  });

  test('with a package offline keeps the CPUs present, and those online', async () => {
    const { platform } = captureToHostProfile(await capture('offline-package'), 'node1');
    expect(presentCpus(platform)).toBe(128);
    expect(onlineCpus(platform)).toBe(64);
  });

  test('starts in the simulator', async () => {
    const profile = captureToHostProfile(await capture('healthy'), 'node1');
    expect(() => createSimulatedHost({ profile })).not.toThrow();
  });

  test('without TDX has no module', async () => {
    const profile = captureToHostProfile(await capture('tdx-off-in-bios'), 'node2');
    expect(profile.module).toBeUndefined();
  });

  test('says what it assumed', async () => {
    const { source } = captureToHostProfile(await capture('vendor-kernel-6.8'), 'node3');
    expect(source).toContain('module 1.5 taken as');
  });

  test('of which KVM was not asked is refused', async () => {
    const without = await capture('no-permission');
    expect(() => captureToHostProfile(without, 'node4')).toThrow(
      expect.objectContaining({ code: 'TDCTL_E_SPEC_INVALID', place: 'node4' }),
    );
  });
});

test.each([
  ['1.5.28', '1.5.28'],
  ['1.5.34', '1.5.28'],
  ['1.5.16', '1.5.06'],
  ['1.5', '1.5.28'],
  ['2.0.18', '2.0.08'],
  ['1.0', '1.0'],
  [undefined, '1.5.28'],
])('module %s is simulated as %s', (version, release) => {
  expect(nearestRelease(version)).toBe(release);
});
