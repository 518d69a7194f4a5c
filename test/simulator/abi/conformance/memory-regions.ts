/** KVM_SET_USER_MEMORY_REGION and KVM_SET_USER_MEMORY_REGION2. */
import type { Handle, MemoryRegionStruct } from '../../../../src/simulator/index.ts';
import type { Driver } from '../../drive.ts';
import { page, ramGpa, slotRegion } from '../../structs.ts';
import type { Call, Conformance, ConformanceTable } from './case.ts';

type RegionRequest = 'KVM_SET_USER_MEMORY_REGION' | 'KVM_SET_USER_MEMORY_REGION2';
type Change = Partial<MemoryRegionStruct>;

const readOnly = 2;
const withMemfd = 4;

const setOn = (driver: Driver, vm: Handle, request: RegionRequest, change: Change) =>
  driver.call(vm, { request, region: slotRegion(change) });

/** What both requests look at. */
function regionRequest(request: RegionRequest): Conformance {
  const set =
    (change: Change): Call =>
    (driver) =>
      setOn(driver, driver.createVm(), request, change);
  /** On a VM that has slot 0 already. */
  const setAgain =
    (change: Change): Call =>
    (driver) => {
      const vm = driver.createVm();
      setOn(driver, vm, request, {});
      return setOn(driver, vm, request, change);
    };
  return {
    handle: (driver) => driver.createVm(),
    request: () => ({ request, region: slotRegion() }),
    cases: {
      'memory-region.slot-number': set({ slot: 32764 }),
      'memory-region.flags': set({ flags: readOnly }),
      'memory-region.size-unaligned': set({ memorySize: 5n }),
      'memory-region.address-unaligned': set({ guestPhysAddr: 1n }),
      'memory-region.user-address': [
        { title: 'unaligned', provoke: set({ userspaceAddr: 1n }) },
        { title: "the kernel's", provoke: set({ userspaceAddr: 1n << 47n }) },
      ],
      'memory-region.address-space': set({ slot: 1 << 16 }),
      'memory-region.address-wraps': set({ guestPhysAddr: (1n << 64n) - page }),
      'memory-region.too-large': set({ memorySize: 1n << 46n, userspaceAddr: page }),
      'memory-region.slot-missing': set({ memorySize: 0n }),
      'memory-region.slot-changed': (driver) =>
        setOn(driver, driver.builtTd().vm, request, { memorySize: 16n * page }),
      'memory-region.slot-differs': [
        { title: 'another user address', provoke: setAgain({ userspaceAddr: page }) },
        { title: 'another size', provoke: setAgain({ memorySize: page }) },
        {
          title: 'another access',
          provoke: (driver) => {
            const vm = driver.createVm('KVM_X86_DEFAULT_VM');
            setOn(driver, vm, request, {});
            return setOn(driver, vm, request, { flags: readOnly });
          },
        },
      ],
      'memory-region.overlap': [
        { title: 'a new slot', provoke: setAgain({ slot: 1, guestPhysAddr: ramGpa + page }) },
        {
          title: 'a slot that moves',
          provoke: (driver) => {
            const vm = driver.createVm();
            setOn(driver, vm, request, {});
            setOn(driver, vm, request, { slot: 1, guestPhysAddr: 0n });
            return setOn(driver, vm, request, { guestPhysAddr: page });
          },
        },
      ],
      'memory-region.address-range': [
        { title: 'beyond 52 bits', provoke: set({ guestPhysAddr: 1n << 52n }) },
        { title: 'a slot that moves', provoke: setAgain({ guestPhysAddr: 1n << 52n }) },
        {
          title: 'the shared bit',
          provoke: (driver) =>
            setOn(driver, driver.initializedTd(), request, { guestPhysAddr: 1n << 47n }),
        },
      ],
    },
  };
}

const request = 'KVM_SET_USER_MEMORY_REGION2';

/** A new slot on a guest_memfd of four pages that the VM has made, with a change. */
const bind =
  (change: Change | ((driver: Driver, vm: Handle) => Change)): Call =>
  (driver) => {
    const vm = driver.createVm();
    const changed = typeof change === 'function' ? change(driver, vm) : change;
    const guestMemfd = driver.createGuestMemfd(vm, 4) as Handle;
    return setOn(driver, vm, request, { flags: withMemfd, guestMemfd, ...changed });
  };

const newer = regionRequest(request);

export const memoryRegions: ConformanceTable = {
  KVM_SET_USER_MEMORY_REGION: {
    ...regionRequest('KVM_SET_USER_MEMORY_REGION'),
    cases: {
      ...regionRequest('KVM_SET_USER_MEMORY_REGION').cases,
      'memory-region.newer-flag': (driver) =>
        setOn(driver, driver.createVm(), 'KVM_SET_USER_MEMORY_REGION', { flags: withMemfd }),
    },
  },
  KVM_SET_USER_MEMORY_REGION2: {
    ...newer,
    cases: {
      ...newer.cases,
      'memory-region.memfd-offset': [
        { title: 'unaligned', provoke: bind({ guestMemfdOffset: 1n }) },
        { title: 'a range that wraps', provoke: bind({ guestMemfdOffset: (1n << 64n) - page }) },
      ],
      'memory-region.memfd-closed': bind({ guestMemfd: undefined }),
      'memory-region.no-memfd': [
        { title: 'another file of KVM', provoke: bind(({ kvm }) => ({ guestMemfd: kvm })) },
        { title: 'another file', provoke: bind({ guestMemfd: 'another file' }) },
      ],
      'memory-region.memfd-of-other-vm': bind((driver) => ({
        guestMemfd: driver.createGuestMemfd(driver.createVm()) as Handle,
      })),
      'memory-region.memfd-too-small': bind({ guestMemfdOffset: page }),
      'memory-region.memfd-taken': (driver) => {
        const { vm, guestMemfd } = driver.builtTd();
        const change = { slot: 1, flags: withMemfd, guestMemfd, guestPhysAddr: 0n };
        return setOn(driver, vm, request, change);
      },
    },
  },
};
