/** The fault points are data: a sweep over them finds every one, and nothing is lost at any. */
import { describe, expect, test } from 'vitest';
import {
  CpuidValue,
  faultPoints,
  type HostProfile,
  hostProfiles,
  type KernelAbiName,
  StructValue,
} from '../../src/simulator/index.ts';
import { Driver } from './drive.ts';
import { memRegion, page } from './structs.ts';
import { BytesValue, emptyBitmaps, FileValue, gsiRouting, MsrsValue, msrFilter } from './values.ts';

/** Every request that has a fault point, once. */
function everyRequest(driver: Driver): unknown[] {
  const cpuid = new CpuidValue(256);
  const ordinary = driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: 0 });
  const results: unknown[] = [
    ordinary,
    driver.call(driver.kvm, { request: 'KVM_GET_SUPPORTED_CPUID', cpuid }),
  ];
  if (typeof ordinary === 'number') {
    results.push(
      driver.call(ordinary, { request: 'KVM_CREATE_IRQCHIP' }),
      driver.call(ordinary, { request: 'KVM_CREATE_PIT' }),
    );
    driver.release(ordinary);
  }
  const vm = driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: 5 });
  if (typeof vm !== 'number') return results;
  const guestMemfd = driver.createGuestMemfd(vm);
  results.push(
    guestMemfd,
    driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n),
    driver.capabilities(vm),
    driver.initVm(vm),
    driver.setPrivate(vm, 0x10_0000n, 16),
    driver.irqfd(vm),
    driver.ioeventfd(vm),
    driver.call(vm, { request: 'KVM_SET_GSI_ROUTING', routing: gsiRouting([{}]) }),
    driver.call(vm, {
      request: 'KVM_REGISTER_COALESCED_MMIO',
      zone: new StructValue({ addr: 0n, size: 4, pio: 0 }),
    }),
    driver.call(vm, {
      request: 'KVM_X86_SET_MSR_FILTER',
      filter: msrFilter(0),
      bitmaps: emptyBitmaps,
    }),
    driver.call(vm, { request: 'KVM_SET_PMU_EVENT_FILTER', struct: new BytesValue(32) }),
  );
  const vfio = vfioDevice();
  results.push(driver.call(vm, vfio));
  if (vfio.fd.made !== undefined) driver.release(vfio.fd.made.handle);
  if (typeof guestMemfd === 'number')
    results.push(
      driver.setSlot(vm, guestMemfd),
      ...firstPage.map((call) => driver.call(guestMemfd, call)),
    );
  const stats = driver.call(vm, { request: 'KVM_GET_STATS_FD' });
  results.push(stats);
  if (typeof stats === 'number') driver.release(stats);
  const vcpu = driver.createVcpu(vm, 0);
  results.push(vcpu);
  if (typeof vcpu === 'number') {
    results.push(
      driver.getCpuid(vcpu),
      driver.call(vcpu, { request: 'KVM_GET_MSRS', msrs: new MsrsValue([[0x8b]]) }),
      driver.setCpuid2(vcpu),
      driver.initVcpu(vcpu),
      driver.initMemRegion(vcpu, memRegion()),
    );
    driver.release(vcpu);
  }
  driver.release(vm);
  if (typeof guestMemfd === 'number') driver.release(guestMemfd);
  return results;
}

const vfioDevice = () =>
  ({
    request: 'KVM_CREATE_DEVICE',
    create: new StructValue({ type: 4, fd: 0, flags: 0 }),
    fd: new FileValue(),
  }) as const;

/** It is allocated, and punched out. */
const firstPage = [1, 3].map((mode) => ({
  request: 'fallocate' as const,
  mode,
  offset: 0n,
  length: page,
}));

/** A TD whose guest_memfd is asked to convert pages. */
function convertOnce(driver: Driver): unknown[] {
  const vm = driver.initializedTd();
  const guestMemfd = driver.createGuestMemfd(vm) as number;
  // All pages begin as private ones.
  const results = [0n, 8n].map((attributes) => driver.setAttributes2(guestMemfd, { attributes }));
  driver.release(guestMemfd, vm);
  return results;
}

/** A TD that is moved to another VM, as RFC v2 does it. */
function moveOnce(driver: Driver): unknown[] {
  const source = driver.runnableTd();
  const vm = driver.createTd();
  const guestMemfd = driver.link(vm, source.guestMemfd);
  const results: unknown[] = [guestMemfd];
  const taken = [source.vm, ...source.vcpus, source.guestMemfd, vm];
  if (typeof guestMemfd === 'number') {
    taken.push(guestMemfd);
    const vcpu = driver.createVcpu(vm, 0) as number;
    taken.push(vcpu);
    results.push(
      driver.setSlot(vm, guestMemfd),
      driver.setCpuid2(vcpu),
      driver.move(vm, source.vm),
    );
  }
  driver.release(...taken);
  return results;
}

interface Ground {
  readonly points: RegExp;
  readonly kernelAbi?: KernelAbiName;
  readonly profile?: HostProfile;
  readonly requests: (driver: Driver) => unknown[];
}

/** Where each point is reached; the first that fits. */
const grounds: readonly Ground[] = [
  {
    points: /^KVM_CAP_VM_MOVE|^KVM_LINK_GUEST_MEMFD/,
    kernelAbi: 'rfc-migration-v2',
    requests: moveOnce,
  },
  {
    points: /^KVM_SET_MEMORY_ATTRIBUTES2/,
    kernelAbi: 'posted-inplace-conversion',
    requests: convertOnce,
  },
  {
    points: /dynamic PAMT/,
    kernelAbi: 'posted-dynamic-pamt',
    profile: hostProfiles['gnr-2.0'],
    requests: everyRequest,
  },
  { points: /^/, requests: everyRequest },
];

describe('a fault', () => {
  test('at no point: every request succeeds', () => {
    const results = grounds.flatMap(({ requests, ...ground }) => requests(new Driver(ground)));
    expect(results.filter((result) => typeof result === 'string')).toEqual([]);
  });

  test.each(faultPoints)('at "%s" is answered, and everything is given back', (point) => {
    const ground = grounds.find(({ points }) => points.test(point));
    const driver = new Driver(ground);
    const before = driver.machine.snapshot();
    driver.failAt(point, 'ENOMEM');
    expect(ground?.requests(driver)).toContain('ENOMEM');
    expect(driver.machine.snapshot()).toMatchObject({
      keySlots: before.keySlots,
      hostPages: { inUse: 0, leaked: 0 },
      vms: [],
      handles: 1,
    });
  });
});
