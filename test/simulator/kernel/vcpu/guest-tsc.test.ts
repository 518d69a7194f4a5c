/** Time stamp counters and kvmclock on a host whose clocks the test moves. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type HostClock, type Request, StructValue } from '../../../../src/simulator/index.ts';
import { supportedCpuid } from '../../../../src/simulator/kernel/cpuid/supported.ts';
import { Driver } from '../../drive.ts';
import { MsrsValue } from '../../values.ts';

const second = 1_000_000_000n;
const TSC = 0x10;

let bootNs = 0n;
const hostClock: HostClock = {
  bootNs: () => bootNs,
  realNs: () => 1_800_000_000n * second + bootNs,
};
/** spr-1.5 counts 2 GHz. */
const ticks = (ns: bigint) => ns * 2n;

beforeEach(() => {
  bootNs = 1000n * second;
});

function vmWith(vcpus: number) {
  const driver = new Driver({ hostClock });
  const vm = driver.plainVm('split');
  const ids = Array.from({ length: vcpus }, (_, id) =>
    driver.must(vm, { request: 'KVM_CREATE_VCPU', id }),
  );
  const get = (vcpu: number, index = TSC) => {
    const msrs = new MsrsValue([[index]]);
    expect(driver.call(vcpu, { request: 'KVM_GET_MSRS', msrs })).toBe(1);
    return msrs.entries[0]?.data;
  };
  const set = (vcpu: number, data: bigint, index = TSC) =>
    driver.call(vcpu, { request: 'KVM_SET_MSRS', msrs: new MsrsValue([[index, data]]) });
  const clock = () => {
    const struct = new StructValue({ clock: 0n, flags: 0, realtime: 0n, hostTsc: 0n });
    driver.must(vm, { request: 'KVM_GET_CLOCK', clock: struct });
    return struct.value;
  };
  const setClock = (ns: bigint, more = {}) => {
    const value = { clock: ns, flags: 0, realtime: 0n, hostTsc: 0n, ...more };
    return driver.call(vm, { request: 'KVM_SET_CLOCK', clock: new StructValue(value) });
  };
  return { driver, vm, vcpus: ids as [number, number], get, set, clock, setClock };
}

function offset(driver: Driver, vcpu: number, write?: bigint) {
  const value = new StructValue(write ?? 0n);
  const attr = new StructValue({ flags: 0, group: 0, attr: 0n, addr: 0n });
  const request = write === undefined ? 'KVM_GET_DEVICE_ATTR' : 'KVM_SET_DEVICE_ATTR';
  driver.must(vcpu, { request, attr, value } as Request);
  return value.value;
}

describe('the time stamp counter', () => {
  test('begins at 0 with the first vCPU, goes on, and is that of the vCPUs that come later', () => {
    const { driver, vm, vcpus, get } = vmWith(1);
    expect(get(vcpus[0])).toBe(0n);
    bootNs += 3n * second;
    const later = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 5 });
    expect([get(vcpus[0]), get(later)]).toEqual([ticks(3n * second), ticks(3n * second)]);
  });

  test('goes on from what is written to it', () => {
    const { vcpus, get, set } = vmWith(1);
    set(vcpus[0], 5_000_000_000_000n);
    expect(get(vcpus[0])).toBe(5_000_000_000_000n);
    bootNs += second;
    expect(get(vcpus[0])).toBe(5_000_000_000_000n + ticks(second));
  });

  test('a write within a second of where the others are by now means the same as theirs', () => {
    const { vcpus, get, set } = vmWith(2);
    set(vcpus[0], 5_000_000_000_000n);
    bootNs += second / 4n;
    set(vcpus[1], 5_000_000_000_000n);
    expect(get(vcpus[1])).toBe(get(vcpus[0]));
    bootNs += second;
    set(vcpus[1], 9_000_000_000_000n);
    expect(get(vcpus[1])).toBe(9_000_000_000_000n);
    // 0 always means the others' time.
    set(vcpus[0], 0n);
    expect(get(vcpus[0])).toBe(get(vcpus[1]));
  });

  test('the first write by user space is taken as it is', () => {
    const { vcpus, get, set } = vmWith(2);
    bootNs += second / 4n;
    set(vcpus[0], 17n);
    expect(get(vcpus[0])).toBe(17n);
    expect(get(vcpus[1])).toBe(ticks(second / 4n));
  });

  test('its offset to the host is told and set, modulo 2 to the 64', () => {
    const { driver, vcpus, get } = vmWith(1);
    expect(offset(driver, vcpus[0])).toBe(BigInt.asUintN(64, -ticks(bootNs)));
    offset(driver, vcpus[0], 5n);
    expect(get(vcpus[0])).toBe(ticks(bootNs) + 5n);
    expect(offset(driver, vcpus[0])).toBe(5n);
  });

  test('is scaled to the frequency of the guest, unless that is nearly the host’s', () => {
    const { driver, vcpus, get } = vmWith(1);
    offset(driver, vcpus[0], 0n);
    driver.setTscKhz(vcpus[0], 1_000_000);
    expect(get(vcpus[0])).toBe(bootNs);
    driver.setTscKhz(vcpus[0], 2_000_400);
    expect(get(vcpus[0])).toBe(ticks(bootNs));
    driver.setTscKhz(vcpus[0], 0);
    expect(get(vcpus[0])).toBe(ticks(bootNs));
  });

  test('TSC_ADJUST is kept where the guest has it, and moves nothing', () => {
    const { driver, vcpus, get, set } = vmWith(1);
    expect(set(vcpus[0], 7n, 0x3b)).toBe(1);
    expect(get(vcpus[0], 0x3b)).toBe(0n);
    driver.setCpuid2(vcpus[0], supportedCpuid(driver.machine.profile.platform));
    expect(set(vcpus[0], 7n, 0x3b)).toBe(1);
    expect([get(vcpus[0], 0x3b), get(vcpus[0])]).toEqual([7n, 0n]);
  });
});

describe('kvmclock', () => {
  test('goes with the host, and is told with both of its clocks once the counters match', async () => {
    const { driver, vcpus, clock } = vmWith(2);
    bootNs += second;
    expect(clock()).toEqual({ clock: second, flags: 0, realtime: 0n, hostTsc: 0n });
    const running = driver.run(vcpus[0]);
    running.cancel();
    await running.result;
    expect(clock()).toEqual({
      clock: second,
      flags: 14,
      realtime: hostClock.realNs(),
      hostTsc: ticks(bootNs),
    });
  });

  test('counters that were set apart end that', () => {
    const { vcpus, set, clock, setClock } = vmWith(2);
    setClock(0n);
    expect(clock().flags).toBe(14);
    set(vcpus[0], 5_000_000_000_000n);
    set(vcpus[1], 9_000_000_000_000n);
    setClock(0n);
    expect(clock().flags).toBe(0);
  });

  test('is set to a time, or to what that has become since a real time', () => {
    const { clock, setClock } = vmWith(1);
    setClock(7n * second);
    bootNs += second;
    expect(clock().clock).toBe(8n * second);
    setClock(second, { flags: 4, realtime: hostClock.realNs() - 2n * second });
    expect(clock().clock).toBe(3n * second);
  });

  test('a guest’s reference time of Hyper-V is the same, in units of 100 ns', () => {
    const { vcpus, get, setClock } = vmWith(1);
    setClock(5n * second);
    bootNs += second;
    expect(get(vcpus[0], 0x40000020)).toBe(60_000_000n);
  });
});
