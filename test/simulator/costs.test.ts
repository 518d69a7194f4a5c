/** Simulated time: it is the same every time, and the public figures come out of it. */
import { describe, expect, test } from 'vitest';
import { ioctlCosts, moduleInitNs, seamcallCosts } from '../../src/simulator/costs.ts';
import { StructValue } from '../../src/simulator/index.ts';
import { Driver } from './drive.ts';

const seconds = (ns: number) => ns / 1e9;
const gib = 1n << 30n;
const guestBase = 4n * gib;

/** A runnable TD of the given size; its memory is one slot and one guest_memfd, all private. */
function runnableTd(driver: Driver, size: { readonly vcpus: number; readonly gib: number }) {
  const vm = driver.initializedTd();
  const vcpus = Array.from({ length: size.vcpus }, (_, id) => driver.newVcpu(vm, id));
  const bytes = BigInt(size.gib) * gib;
  const pages = Number(bytes / 4096n);
  const guestMemfd = driver.createGuestMemfd(vm, pages) as number;
  const region = new StructValue({
    slot: 0,
    flags: 4,
    guestPhysAddr: guestBase,
    memorySize: bytes,
    userspaceAddr: 0x1000_0000n,
    guestMemfdOffset: 0n,
    guestMemfd,
  });
  driver.must(vm, { request: 'KVM_SET_USER_MEMORY_REGION2', region });
  expect(driver.setPrivate(vm, guestBase, pages)).toBe(0);
  expect(driver.finalizeVm(vm)).toBe(0);
  return { vm, vcpus, guestMemfd };
}

function teardownSeconds(
  size: { readonly vcpus: number; readonly gib: number },
  how: 'terminated' | 'closed',
): number {
  const driver = new Driver({ kernelAbi: 'posted-terminate-vm' });
  const { vm, vcpus, guestMemfd } = runnableTd(driver, size);
  const before = driver.machine.nowNs;
  if (how === 'terminated') expect(driver.terminateVm(vm)).toBe(0);
  driver.release(guestMemfd, ...vcpus, vm);
  expect(driver.machine.snapshot()).toMatchObject({ keySlots: { free: 63 }, handles: 1 });
  return seconds(driver.machine.nowNs - before);
}

describe('the public teardown figures come out within 8 %', () => {
  // lkml, 11 June 2025, "KVM: TDX: Add sub-ioctl KVM_TDX_TERMINATE_VM", V4 1/1
  test.each([
    { vcpus: 4, gib: 18, closed: 72, terminated: 24 },
    { vcpus: 32, gib: 107, closed: 517, terminated: 134 },
    { vcpus: 64, gib: 400, closed: 5539, terminated: 467 },
  ])('$vcpus vCPUs, $gib GB: $closed s, and $terminated s with TERMINATE_VM', (figure) => {
    for (const how of ['closed', 'terminated'] as const) {
      const error = teardownSeconds(figure, how) / figure[how] - 1;
      expect(Math.abs(error), `${how}: off by ${(error * 100).toFixed(1)} %`).toBeLessThan(0.08);
    }
  });
});

test('a TD that was never finalized has no accepted memory to give back', () => {
  const driver = new Driver();
  const { vm, vcpus, guestMemfd } = driver.builtTd();
  const before = driver.machine.nowNs;
  driver.release(guestMemfd, ...vcpus, vm);
  expect(seconds(driver.machine.nowNs - before)).toBeLessThan(0.1);
});

test.each([
  [256n, 1.1],
  [2048n, 5.2],
])('initialising the module with %i GB takes the %d s of the published logs', (size, published) => {
  expect(seconds(moduleInitNs(size * gib))).toBeCloseTo(published, 2);
});

test('every cost is a whole, positive number of nanoseconds and says where it comes from', () => {
  for (const { ns, source } of [...Object.values(seamcallCosts), ...Object.values(ioctlCosts)]) {
    expect(Number.isInteger(ns) && ns > 0).toBe(true);
    expect(source).toMatch(/guess|fitted/);
  }
});

test('the time of an ioctl is its own and that of its leaves', () => {
  const driver = new Driver();
  const { vm } = driver.builtTd();
  const before = driver.machine.nowNs;
  driver.finalizeVm(vm);
  expect(driver.machine.nowNs - before).toBe(
    (ioctlCosts.KVM_TDX_FINALIZE_VM?.ns ?? 0) + seamcallCosts['TDH.MR.FINALIZE'].ns,
  );
});
