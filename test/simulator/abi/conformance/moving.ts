/** KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM): a TD goes from one VM to another. */
import { capabilities } from '../../../../src/abi/kvm/capabilities.ts';
import { type Request, StructValue } from '../../../../src/simulator/index.ts';
import type { Driver } from '../../drive.ts';
import { destinationOf, pairOf, shareMemory, type Td, type VcpuCounts } from '../../moved-td.ts';
import type { Call, ConformanceTable } from './case.ts';

const moveFrom = (source: number): Request => ({
  request: 'KVM_ENABLE_CAP',
  cap: new StructValue({
    cap: capabilities.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM,
    flags: 0,
    args: [BigInt(source)],
  }),
});

interface Pair {
  readonly source: Td;
  readonly destination: Td;
}

/** A move between two VMs that are fit for it, but for what was arranged. */
const moveWhen =
  (arrange: (driver: Driver, pair: Pair) => void, vcpus: VcpuCounts = {}): Call =>
  (driver) => {
    const pair = pairOf(driver, vcpus);
    arrange(driver, pair);
    return driver.move(pair.destination.vm, pair.source.vm);
  };

const allocate = 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: allocate';
const plainVm = (driver: Driver) => driver.createVm('KVM_X86_DEFAULT_VM');

const extraSlot = moveWhen((driver, { destination }) => {
  driver.setSlot(destination.vm, undefined, 1, 0x1000_0000n);
});

/** A source that is still being built. */
const tooEarly: Call = (driver) => {
  const source = driver.builtTd();
  return driver.move(destinationOf(driver, source).vm, source.vm);
};

/** A destination that is finalised, with the memory of the source. */
const tooLate: Call = (driver) => {
  const { source } = pairOf(driver);
  const vm = driver.initializedTd();
  driver.setSlot(vm, shareMemory(driver, vm, source.guestMemfd));
  driver.newVcpu(vm, 0);
  driver.finalizeVm(vm);
  return driver.move(vm, source.vm);
};

/** A destination whose memory is not that of the source. */
const otherMemory: Call = (driver) => {
  const { source } = pairOf(driver);
  return driver.move(destinationOf(driver, driver.builtTd()).vm, source.vm);
};

/** A destination with the memory of the source at another address, and no vCPU yet. */
const otherPlace: Call = (driver) => {
  const { source } = pairOf(driver);
  const vm = driver.createTd();
  driver.setSlot(vm, shareMemory(driver, vm, source.guestMemfd), 0, 0x40_0000n);
  return driver.move(vm, source.vm);
};

/** A destination whose vCPU was given no CPUID. */
const noCpuid: Call = (driver) => {
  const { source } = pairOf(driver);
  const vm = driver.createTd();
  driver.setSlot(vm, shareMemory(driver, vm, source.guestMemfd));
  driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
  return driver.move(vm, source.vm);
};

const early = { title: 'the source is not finalised', provoke: tooEarly };
const late = { title: 'the destination is finalised', provoke: tooLate };

export const moving: ConformanceTable = {
  'KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)': {
    handle: (driver) => driver.createVm(),
    request: () => moveFrom(0),
    cases: {
      'move.unsupported': (driver) => driver.move(driver.createVm(), driver.runnableTd().vm),
      'move.source-closed': [
        { title: 'no file', provoke: (driver) => driver.move(driver.createVm(), 9999) },
        { title: '/dev/kvm', provoke: (driver) => driver.move(driver.createVm(), driver.kvm) },
        {
          title: 'a vCPU',
          provoke: (driver) => {
            const { source, destination } = pairOf(driver);
            return driver.move(destination.vm, source.vcpus[0] as number);
          },
        },
        {
          title: 'a guest_memfd',
          provoke: (driver) => {
            const { source, destination } = pairOf(driver);
            return driver.move(destination.vm, source.guestMemfd);
          },
        },
      ],
      'move.destination-no-td': (driver) => driver.move(plainVm(driver), driver.runnableTd().vm),
      'move.types-differ': (driver) => driver.move(plainVm(driver), driver.runnableTd().vm),
      'move.same-vm': (driver) => {
        const { source } = pairOf(driver);
        return driver.move(source.vm, source.vm);
      },
      'move.killed': [
        {
          title: 'a vCPU of the destination runs',
          provoke: moveWhen((driver, { destination }) => {
            driver.occupySibling(destination.vm);
          }),
        },
        {
          title: 'a vCPU of the source runs',
          provoke: moveWhen((driver, { source }) => {
            driver.occupy(source.vcpus[0] as number);
          }),
        },
      ],
      'move.vcpu-counts-differ': moveWhen(() => {}, { sourceVcpus: 2 }),
      'move.td-states-kept': [early, late],
      'move.td-states': [early, late],
      'move.memslots-differ': [
        { title: 'one more', provoke: extraSlot },
        { title: 'other memory', provoke: otherMemory },
        {
          title: 'another place',
          of: (abi) => abi.move?.protocol === 'rfc-v2',
          provoke: otherPlace,
        },
      ],
      'move.memslot-counts-differ': extraSlot,
      'move.cgroup-limit': moveWhen((driver) => {
        driver.machine.setCgroupMax({ path: '/full', max: 0 });
        driver.cgroup = '/full';
      }),
      'move.no-memory': moveWhen((driver) => driver.failAt(allocate, 'ENOMEM')),
      'move.no-x2apic': [
        {
          title: 'CPUID without it',
          provoke: moveWhen((driver, { destination }) => {
            driver.setCpuid2(destination.vcpus[0] as number, []);
          }),
        },
        { title: 'no CPUID', provoke: noCpuid },
      ],
      'move.apic-state': moveWhen((driver) =>
        driver.failAt('KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: set the APIC state of a vCPU', 'EINVAL'),
      ),
      'move.vcpu-without-partner': moveWhen(() => {}, { sourceVcpus: 2 }),
    },
  },
};
