/** Profiles are data: each comes up as its figures say, and runs a TD where it offers TDs. */

import { describe, expect, test } from 'vitest';
import { guestAddressBits } from '../../src/abi/kvm/cpuid.ts';
import { moduleReleases } from '../../src/abi/tdx/module-releases.ts';
import {
  createSimulatedHost,
  type HostProfile,
  hostProfiles,
  keyIdRange,
  onlineCpus,
  presentCpus,
} from '../../src/simulator/index.ts';
import { supportedCpuid } from '../../src/simulator/kernel/cpuid/supported.ts';
import { Driver } from './drive.ts';

const profiles: readonly HostProfile[] = Object.values(hostProfiles);
const withTdx = profiles.filter(({ name }) => name !== 'mismatch');

describe.each(profiles)('profile $name', (profile) => {
  const { platform } = profile;

  test('is listed under its own name and says where its figures come from', () => {
    expect(Object.entries(hostProfiles).find(([, each]) => each === profile)?.[0]).toBe(
      profile.name,
    );
    expect(profile.source).toMatch(/made up|Intel|gnr-2\.0/);
    expect(profile.description.length).toBeGreaterThan(20);
  });

  test('has figures that go together', () => {
    expect(onlineCpus(platform)).toBeGreaterThan(0);
    expect(onlineCpus(platform)).toBeLessThanOrEqual(presentCpus(platform));
    expect(platform.keyIds.mktme + platform.keyIds.tdxPrivate).toBeLessThan(2048);
    expect(platform.tscKhz % 25_000).toBe(0);
    expect(guestAddressBits(supportedCpuid(platform))).toBe(platform.fiveLevelEpt ? 52 : 48);
  });
});

test.each(withTdx)('on $name a TD lives from KVM_CREATE_VM to its last close', (profile) => {
  const driver = new Driver({ profile });
  const { vm, vcpus, guestMemfd } = driver.runnableTd();
  driver.release(guestMemfd, ...vcpus, vm);
  const { guests } = keyIdRange(profile.platform.keyIds);
  expect(driver.machine.snapshot()).toMatchObject({
    keySlots: { total: guests, free: guests },
    hostPages: { inUse: 0, leaked: 0 },
    handles: 1,
  });
});

test('gnr-2.0 and mismatch have more CPUs than a 1.5 module takes', () => {
  expect(presentCpus(hostProfiles['gnr-2.0'].platform)).toBeGreaterThan(576);
  expect(presentCpus(hostProfiles.mismatch.platform)).toBeGreaterThan(576);
});

test("mismatch: KVM does not load, in the kernel's own words, and there is no /dev/kvm", () => {
  const machine = createSimulatedHost({ profile: 'mismatch' });
  expect(machine.bringUp).toEqual({
    outcome: 'no-kvm',
    reason: 'Disable TDX: MAX_VCPU_PER_TD (576) smaller than number of logical CPUs (688)',
  });
  expect(machine.open()).toMatchObject({ ok: false, errno: 'ENODEV' });
  expect(moduleReleases['1.5.28'].maxVcpusPerTd).toBe(576);
});

test('one-slot has one key slot: a second TD is ENOSPC until the first is gone', () => {
  const driver = new Driver({ profile: 'one-slot' });
  const first = driver.initializedTd();
  const second = driver.createVm();
  driver.cap(second, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
  expect(driver.initVm(second)).toBe('ENOSPC');
  driver.release(first);
  expect(driver.initVm(second)).toBe(0);
});
