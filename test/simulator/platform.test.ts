/** What a host file can set beside the hardware: slots that others hold, limits of cgroups. */
import { expect, test } from 'vitest';
import { hostProfiles } from '../../src/simulator/index.ts';
import { Driver } from './drive.ts';

const spr = hostProfiles['spr-1.5'];

test('foreign TDs hold key slots from the start, and are told apart in the snapshot', () => {
  const driver = new Driver({ profile: { ...spr, foreignTds: 60 } });
  expect(driver.machine.snapshot().keySlots).toEqual({
    total: 63,
    free: 3,
    assigned: 0,
    flushed: 0,
    leaked: 0,
    foreign: 60,
  });
  expect(driver.machine.keySlots).toEqual({ total: 63, used: 60 });
  const tds = [0, 1, 2].map(() => driver.initializedTd());
  expect(driver.initVm(driver.createVm())).toBe('ENOSPC');
  driver.release(...tds);
  expect(driver.machine.snapshot().keySlots).toMatchObject({ free: 3, foreign: 60 });
});

test('foreign TDs are charged to a cgroup of their own', () => {
  const driver = new Driver({ profile: { ...spr, foreignTds: 2 } });
  const usage = (path: string) =>
    driver.machine.snapshot().cgroups.find((cgroup) => cgroup.path === path)?.usage;
  expect([usage('/'), usage('/other-tds')]).toEqual([2, 2]);
});

test('a limit of a cgroup counts from the start', () => {
  const driver = new Driver({ profile: { ...spr, cgroupLimits: [{ path: '/', max: 1 }] } });
  driver.initializedTd();
  const second = driver.createVm();
  driver.cap(second, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
  expect(driver.initVm(second)).toBe('EBUSY');
});

test('CPUs that go offline on one machine are not offline on another of the same profile', () => {
  const [one, other] = [new Driver(), new Driver()];
  expect(one.machine.setLastPackageOnline(false)).toBe(true);
  expect(one.check(one.kvm, 'KVM_CAP_NR_VCPUS')).toBe(112);
  expect(other.check(other.kvm, 'KVM_CAP_NR_VCPUS')).toBe(224);
});
