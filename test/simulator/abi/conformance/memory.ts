/** guest_memfds, memory attributes, dirty logs and KVM_PRE_FAULT_MEMORY. */
import {
  type ClearDirtyLogStruct,
  type CreateGuestMemfdStruct,
  type Handle,
  type HostProfile,
  type MemoryAttributes2Struct,
  type MemoryAttributesStruct,
  type PreFaultMemoryStruct,
  StructValue,
  type UserStruct,
} from '../../../../src/simulator/index.ts';
import type { Driver } from '../../drive.ts';
import {
  attributes2Struct,
  faulting,
  page,
  ramGpa,
  ramPages,
  sourceAddress,
} from '../../structs.ts';
import { BytesValue, faultyAt } from '../../values.ts';
import type { Call, ConformanceTable } from './case.ts';
import { other } from './statuses.ts';
import { fullOnceBuilt, vcpusOfFirstRegion, withDynamicPamt } from './tdx-vcpu.ts';

const memfdStruct = (change: Partial<CreateGuestMemfdStruct> = {}) =>
  new StructValue({ size: page, flags: 0n, ...change });

const createMemfd =
  (change: Partial<CreateGuestMemfdStruct>): Call =>
  (driver) =>
    driver.call(driver.createVm(), {
      request: 'KVM_CREATE_GUEST_MEMFD',
      create: memfdStruct(change),
    });

const attributesStruct = (change: Partial<MemoryAttributesStruct> = {}) =>
  new StructValue({ address: 0n, size: page, attributes: 8n, flags: 0n, ...change });

const setAttributes =
  (change: Partial<MemoryAttributesStruct>): Call =>
  (driver) =>
    driver.call(driver.createVm(), {
      request: 'KVM_SET_MEMORY_ATTRIBUTES',
      attributes: attributesStruct(change),
    });

const setAttributes2 =
  (change: Partial<MemoryAttributes2Struct>): Call =>
  (driver) =>
    driver.setAttributes2(driver.builtTd().guestMemfd, change);

/** Shared pages that are to become private while somebody holds one. */
function convertedInUse(driver: Driver, faulty?: 'write') {
  const { guestMemfd } = driver.builtTd();
  driver.setAttributes2(guestMemfd, { attributes: 0n });
  driver.failAt('KVM_SET_MEMORY_ATTRIBUTES2: find a page in use', 'EAGAIN');
  return driver.setAttributes2(guestMemfd, {}, faulty);
}

/** A VM whose slot 0, of 101 pages, is logged. */
function loggedVm(driver: Driver, flags = 1): Handle {
  const vm = driver.createVm('KVM_X86_DEFAULT_VM');
  const region = new StructValue({
    slot: 0,
    flags,
    guestPhysAddr: 0n,
    memorySize: 101n * page,
    userspaceAddr: sourceAddress,
    guestMemfdOffset: 0n,
    guestMemfd: undefined,
  });
  driver.must(vm, { request: 'KVM_SET_USER_MEMORY_REGION2', region });
  return vm;
}

const bitmap = () => new BytesValue(64);

const getLog = (driver: Driver, vm: Handle, slot = 0, into = bitmap()) =>
  driver.call(vm, {
    request: 'KVM_GET_DIRTY_LOG',
    log: new StructValue({ slot }),
    bitmap: into,
  });

const clearLog = (
  driver: Driver,
  vm: Handle,
  change: Partial<ClearDirtyLogStruct> = {},
  from = bitmap(),
) =>
  driver.call(vm, {
    request: 'KVM_CLEAR_DIRTY_LOG',
    log: new StructValue({ slot: 0, numPages: 64, firstPage: 0n, ...change }),
    bitmap: from,
  });

/** What both requests look at, on a VM with a logged slot. */
const logCases = (ask: (driver: Driver, vm: Handle, slot: number) => ReturnType<Call>) => ({
  'dirty-log.rings': (driver: Driver) => {
    const vm = loggedVm(driver);
    driver.cap(vm, 'KVM_CAP_DIRTY_LOG_RING', 16384n);
    return ask(driver, vm, 0);
  },
  'dirty-log.slot-number': [
    { title: 'the number', provoke: (driver: Driver) => ask(driver, loggedVm(driver), 32764) },
    {
      title: 'address space 1 of a TD',
      provoke: (driver: Driver) => ask(driver, driver.builtTd().vm, 1 << 16),
    },
  ],
  'dirty-log.not-logged': [
    { title: 'no slot', provoke: (driver: Driver) => ask(driver, loggedVm(driver), 1) },
    { title: 'no log', provoke: (driver: Driver) => ask(driver, loggedVm(driver, 0), 0) },
  ],
});

const rangeStruct = (change: Partial<PreFaultMemoryStruct> = {}) =>
  new StructValue({ gpa: ramGpa, size: page, flags: 0n, ...change });

const preFault = (
  driver: Driver,
  vcpu: Handle | undefined,
  range: UserStruct<PreFaultMemoryStruct> = rangeStruct(),
) => driver.call(vcpu ?? 0, { request: 'KVM_PRE_FAULT_MEMORY', range });

/** On a vCPU of a TD that runs. */
const preFaultWhen =
  (
    arrange: (driver: Driver, td: ReturnType<Driver['runnableTd']>) => void,
    change: Partial<PreFaultMemoryStruct> = {},
  ): Call =>
  (driver) => {
    const td = driver.runnableTd();
    arrange(driver, td);
    return preFault(driver, td.vcpus[0], rangeStruct(change));
  };

const preFaultOf = (change: Partial<PreFaultMemoryStruct>) => preFaultWhen(() => {}, change);

/** A page for the guest is left, and none for a table of the secure EPT. */
const onePageLeft: HostProfile = {
  ...fullOnceBuilt,
  platform: {
    ...fullOnceBuilt.platform,
    memoryBytes: fullOnceBuilt.platform.memoryBytes + page,
  },
};

export const memory: ConformanceTable = {
  KVM_CREATE_GUEST_MEMFD: {
    handle: (driver) => driver.createVm(),
    request: () => ({ request: 'KVM_CREATE_GUEST_MEMFD', create: memfdStruct() }),
    cases: {
      'create-guest-memfd.flags': createMemfd({ flags: 2n }),
      'create-guest-memfd.unknown-flag': createMemfd({ flags: 4n }),
      'create-guest-memfd.size': [
        { title: 'none', provoke: createMemfd({ size: 0n }) },
        { title: 'negative', provoke: createMemfd({ size: 1n << 63n }) },
        { title: 'unaligned', provoke: createMemfd({ size: 100n }) },
      ],
    },
  },
  KVM_LINK_GUEST_MEMFD: {
    handle: (driver) => driver.createVm(),
    request: (driver) => ({
      request: 'KVM_LINK_GUEST_MEMFD',
      link: new StructValue({
        guestMemfd: driver.createGuestMemfd(driver.createVm()) as Handle,
        flags: 0n,
      }),
    }),
    cases: {
      'link-guest-memfd.flags': (driver) =>
        driver.link(driver.createVm(), driver.builtTd().guestMemfd, 1n),
      'link-guest-memfd.no-memfd': [
        { title: 'closed', provoke: (driver) => driver.link(driver.createVm(), undefined) },
        { title: 'another file', provoke: (driver) => driver.link(driver.createVm(), driver.kvm) },
      ],
      'link-guest-memfd.same-vm': (driver) => {
        const { vm, guestMemfd } = driver.builtTd();
        return driver.link(vm, guestMemfd);
      },
    },
  },
  KVM_SET_MEMORY_ATTRIBUTES: {
    handle: (driver) => driver.createVm(),
    request: () => ({ request: 'KVM_SET_MEMORY_ATTRIBUTES', attributes: attributesStruct() }),
    cases: {
      'memory-attributes.flags': setAttributes({ flags: 1n }),
      'memory-attributes.unsupported': [
        { title: 'another attribute', provoke: setAttributes({ attributes: 1n }) },
        {
          title: 'a VM without private memory',
          provoke: (driver) => driver.setPrivate(driver.createVm('KVM_X86_DEFAULT_VM'), 0n, 1),
        },
      ],
      'memory-attributes.range': [
        { title: 'empty', provoke: setAttributes({ size: 0n }) },
        { title: 'wraps', provoke: setAttributes({ address: (1n << 64n) - page }) },
      ],
      'memory-attributes.unaligned': [
        { title: 'the address', provoke: setAttributes({ address: 1n }) },
        { title: 'the size', provoke: setAttributes({ size: 1n }) },
      ],
    },
  },
  KVM_SET_MEMORY_ATTRIBUTES2: {
    handle: (driver) => driver.builtTd().guestMemfd,
    request: () => ({
      request: 'KVM_SET_MEMORY_ATTRIBUTES2',
      // A new file is private: what is asked for is not there yet.
      attributes: attributes2Struct({ attributes: 0n }),
    }),
    cases: {
      'file.not-kvm': (driver) => driver.setAttributes2(driver.builtTd().guestMemfd),
      'memory-attributes2.flags': setAttributes2({ flags: 1n }),
      'memory-attributes2.reserved': setAttributes2({ reserved: [0n, 0n, 1n] }),
      'memory-attributes2.no-private-memory': (driver) => {
        const vm = driver.createVm('KVM_X86_DEFAULT_VM');
        return driver.setAttributes2(driver.createGuestMemfd(vm) as Handle);
      },
      'memory-attributes2.unsupported': setAttributes2({ attributes: 1n }),
      'memory-attributes2.range': [
        { title: 'empty', provoke: setAttributes2({ size: 0n }) },
        { title: 'wraps', provoke: setAttributes2({ offset: (1n << 64n) - page }) },
      ],
      'memory-attributes2.unaligned': [
        { title: 'the offset', provoke: setAttributes2({ offset: 1n }) },
        { title: 'the size', provoke: setAttributes2({ size: 1n }) },
      ],
      'memory-attributes2.beyond-file': [
        { title: 'from the end on', provoke: setAttributes2({ offset: BigInt(ramPages) * page }) },
        { title: 'over the end', provoke: setAttributes2({ size: BigInt(ramPages + 1) * page }) },
      ],
      'memory-attributes2.page-in-use': (driver) => convertedInUse(driver),
      'memory-attributes2.unwritable': (driver) => convertedInUse(driver, 'write'),
    },
  },
  KVM_GET_DIRTY_LOG: {
    handle: (driver) => loggedVm(driver),
    request: () => ({
      request: 'KVM_GET_DIRTY_LOG',
      log: new StructValue({ slot: 0 }),
      bitmap: bitmap(),
    }),
    cases: {
      ...logCases((driver, vm, slot) => getLog(driver, vm, slot)),
      'get-dirty-log.bitmap-unwritable': (driver) =>
        getLog(driver, loggedVm(driver), 0, faultyAt(bitmap(), 'write')),
    },
  },
  KVM_CLEAR_DIRTY_LOG: {
    handle: (driver) => loggedVm(driver),
    request: () => ({
      request: 'KVM_CLEAR_DIRTY_LOG',
      log: new StructValue({ slot: 0, numPages: 64, firstPage: 0n }),
      bitmap: bitmap(),
    }),
    cases: {
      ...logCases((driver, vm, slot) => clearLog(driver, vm, { slot })),
      'clear-dirty-log.unaligned': (driver) =>
        clearLog(driver, loggedVm(driver), { firstPage: 1n }),
      'clear-dirty-log.range': [
        {
          title: 'less than a word',
          provoke: (driver) => clearLog(driver, loggedVm(driver), { numPages: 10 }),
        },
        {
          title: 'more than the slot has',
          provoke: (driver) => clearLog(driver, loggedVm(driver), { firstPage: 64n }),
        },
        {
          title: 'beyond the slot',
          provoke: (driver) => clearLog(driver, loggedVm(driver), { firstPage: 128n, numPages: 0 }),
        },
      ],
      'clear-dirty-log.bitmap-unreadable': (driver) =>
        clearLog(driver, loggedVm(driver), {}, faultyAt(bitmap(), 'read')),
    },
  },
  KVM_PRE_FAULT_MEMORY: {
    handle: (driver) => driver.runnableTd().vcpus[0] ?? 0,
    request: () => ({ request: 'KVM_PRE_FAULT_MEMORY', range: rangeStruct() }),
    cases: {
      'pre-fault.flags': preFaultOf({ flags: 1n }),
      'pre-fault.range': [
        { title: 'an unaligned address', provoke: preFaultOf({ gpa: ramGpa + 1n }) },
        { title: 'an unaligned size', provoke: preFaultOf({ size: 1n }) },
        { title: 'empty', provoke: preFaultOf({ size: 0n }) },
        { title: 'to the end of 64 bits', provoke: preFaultOf({ gpa: (1n << 64n) - page }) },
      ],
      'pre-fault.interrupted': preFaultWhen((driver) => {
        driver.signal = 'ordinary';
      }),
      'pre-fault.before-finalize': (driver) => preFault(driver, driver.builtTd().vcpus[0]),
      'pre-fault.shared-address': preFaultOf({ gpa: 1n << 47n }),
      'pre-fault.private-without-slot': preFaultWhen(
        (driver, { vm }) => {
          driver.setPrivate(vm, 0n, 1);
        },
        { gpa: 0n },
      ),
      'pre-fault.no-slot': [
        { title: 'of a TD', provoke: preFaultOf({ gpa: 0n }) },
        {
          title: 'of another VM',
          provoke: (driver) => {
            const vm = driver.createVm('KVM_X86_DEFAULT_VM');
            return preFault(driver, driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 }));
          },
        },
      ],
      'pre-fault.pamt-refused': {
        profile: withDynamicPamt,
        provoke: (driver) => {
          const { vm, vcpus } = driver.builtTd(vcpusOfFirstRegion);
          driver.finalizeVm(vm);
          driver.failLeaf('TDH.PHYMEM.PAMT.ADD', other);
          return preFault(driver, vcpus[0]);
        },
      },
      'pre-fault.no-memfd': [
        {
          title: 'closed',
          provoke: preFaultWhen((driver, { guestMemfd }) => driver.release(guestMemfd)),
        },
        {
          title: 'none',
          provoke: preFaultWhen(
            (driver, { vm }) => {
              driver.setSlot(vm, undefined, 1, 0x1000_0000n);
              driver.setPrivate(vm, 0x1000_0000n, 1);
            },
            { gpa: 0x1000_0000n },
          ),
        },
      ],
      'kernel.no-memory': [
        { title: 'for the page', profile: fullOnceBuilt, provoke: preFaultOf({}) },
        { title: 'for a table', profile: onePageLeft, provoke: preFaultOf({}) },
      ],
      'pre-fault.module-refused': [
        {
          title: 'TDH.MEM.SEPT.ADD',
          provoke: preFaultWhen((driver) => driver.failLeaf('TDH.MEM.SEPT.ADD', other)),
        },
        {
          title: 'TDH.MEM.PAGE.AUG',
          provoke: preFaultWhen((driver) => driver.failLeaf('TDH.MEM.PAGE.AUG', other)),
        },
      ],
      'pre-fault.unwritable': [
        {
          title: 'after a page',
          provoke: (driver) =>
            preFault(driver, driver.runnableTd().vcpus[0], faulting(rangeStruct(), 'write')),
        },
        {
          title: 'in place of another refusal',
          provoke: (driver) =>
            preFault(
              driver,
              driver.builtTd().vcpus[0],
              faulting(rangeStruct({ flags: 1n }), 'write'),
            ),
        },
      ],
    },
  },
};
