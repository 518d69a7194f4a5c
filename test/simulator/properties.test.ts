/** What holds whatever a process does: random ioctl sequences with faults in between. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeStatus, isStatusError, statusWord } from '../../src/abi/tdx/status.ts';
import { kernelAbis } from '../../src/simulator/index.ts';
import { command, Driver, memRegion, page, ramGpa } from './drive.ts';

/** Handles that a sequence has made, by kind; a choice picks one of them by number. */
interface Held {
  readonly vm: number[];
  readonly vcpu: number[];
  readonly guestMemfd: number[];
}

type Step = (driver: Driver, held: Held, choice: number) => void;

const pick = (handles: readonly number[], choice: number) => handles[choice % handles.length];

function keep(handles: number[], result: unknown): void {
  if (typeof result === 'number') handles.push(result);
}

const onVm =
  (run: (driver: Driver, vm: number, held: Held, choice: number) => void): Step =>
  (driver, held, choice) => {
    const vm = pick(held.vm, choice);
    if (vm !== undefined) run(driver, vm, held, choice);
  };

const onVcpu =
  (run: (driver: Driver, vcpu: number, choice: number) => void): Step =>
  (driver, held, choice) => {
    const vcpu = pick(held.vcpu, choice);
    if (vcpu !== undefined) run(driver, vcpu, choice);
  };

/** A TD that is built, as far as its key slot and the faults let it: where the deep states begin. */
const buildTd: Step = (driver, held, choice) => {
  const vm = driver.createVm();
  held.vm.push(vm);
  driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n);
  driver.initVm(vm);
  for (let id = 0; id <= choice % 3; id++) {
    const vcpu = driver.createVcpu(vm, id);
    if (typeof vcpu !== 'number') return;
    held.vcpu.push(vcpu);
    driver.setCpuid2(vcpu);
    driver.initVcpu(vcpu);
  }
  const guestMemfd = driver.createGuestMemfd(vm);
  keep(held.guestMemfd, guestMemfd);
  if (typeof guestMemfd === 'number') driver.setSlot(vm, guestMemfd);
  driver.setPrivate(vm, ramGpa, 16);
};

const steps: readonly Step[] = [
  buildTd,
  buildTd,
  (driver, held) => keep(held.vm, driver.createVm()),
  (driver, held) => keep(held.vm, driver.createVm('KVM_X86_DEFAULT_VM')),
  onVm((driver, vm) => driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n)),
  onVm((driver, vm) => driver.initVm(vm)),
  onVm((driver, vm, held, choice) => keep(held.vcpu, driver.createVcpu(vm, choice % 5))),
  onVm((driver, vm, held) => keep(held.guestMemfd, driver.createGuestMemfd(vm))),
  onVm((driver, vm, held, choice) => driver.setSlot(vm, pick(held.guestMemfd, choice), choice % 2)),
  onVm((driver, vm, _held, choice) => driver.setPrivate(vm, ramGpa, 16, choice % 3 !== 0)),
  onVm((driver, vm) => driver.finalizeVm(vm)),
  onVm((driver, vm) => driver.terminateVm(vm)),
  onVm((driver, vm, _held, choice) => driver.setTscKhz(vm, (choice % 4) * 500_000)),
  onVcpu((driver, vcpu) => driver.setCpuid2(vcpu)),
  onVcpu((driver, vcpu) => driver.initVcpu(vcpu)),
  onVcpu((driver, vcpu) => driver.getCpuid(vcpu)),
  onVcpu((driver, vcpu, choice) =>
    driver.initMemRegion(
      vcpu,
      memRegion({ gpa: ramGpa + BigInt(choice % 18) * page, nrPages: 3n }),
      choice % 2,
    ),
  ),
  ...(['vm', 'vcpu', 'guestMemfd'] as const).map(
    (kind): Step =>
      (driver, held, choice) => {
        const handles = held[kind];
        if (handles.length === 0) return;
        driver.release(...handles.splice(choice % handles.length, 1));
      },
  ),
];

const statuses = [
  statusWord('TDX_OPERAND_INVALID', 'RCX'),
  statusWord('TDX_RND_NO_ENTROPY'),
  statusWord('TDX_TD_FATAL'),
  statusWord('TDX_KEY_GENERATION_FAILED'),
];
// Leaves of a build: the kernel recovers from their refusal without losing anything.
const buildLeaves = [
  'TDH.MNG.CREATE',
  'TDH.MNG.KEY.CONFIG',
  'TDH.MNG.ADDCX',
  'TDH.MNG.INIT',
  'TDH.VP.CREATE',
  'TDH.VP.ADDCX',
  'TDH.VP.INIT',
  'TDH.MEM.SEPT.ADD',
  'TDH.MEM.PAGE.ADD',
  'TDH.MR.EXTEND',
  'TDH.MR.FINALIZE',
] as const;
const teardownLeaves = [
  'TDH.VP.FLUSH',
  'TDH.MNG.VPFLUSHDONE',
  'TDH.PHYMEM.CACHE.WB',
  'TDH.MNG.KEY.FREEID',
  'TDH.MEM.PAGE.REMOVE',
  'TDH.PHYMEM.PAGE.RECLAIM',
] as const;

const anyStep = fc.tuple(fc.nat(steps.length - 1), fc.nat(1000));
const anySequence = fc.array(anyStep, { minLength: 10, maxLength: 120 });
const faultOf = <L extends string>(leaves: readonly L[]) =>
  fc.option(fc.tuple(fc.constantFrom(...leaves), fc.constantFrom(...statuses), fc.nat(6)));
const anyMachine = fc.record({
  profile: fc.constantFrom('spr-1.5' as const, 'one-slot' as const, 'small-client' as const),
  kernelAbi: fc.constantFrom(...(Object.keys(kernelAbis) as (keyof typeof kernelAbis)[])),
});

function play(
  driver: Driver,
  sequence: readonly (readonly [number, number])[],
  after: () => void,
): void {
  const held: Held = { vm: [], vcpu: [], guestMemfd: [] };
  for (const [step, choice] of sequence) {
    steps[step]?.(driver, held, choice);
    after();
  }
  driver.release(...held.vm, ...held.vcpu, ...held.guestMemfd);
  after();
}

function faulty<L extends Parameters<Driver['failLeaf']>[0]>(
  driver: Driver,
  fault: readonly [L, bigint, number] | null,
): void {
  if (fault === null) return;
  const [leaf, status, at] = fault;
  driver.failLeaf(leaf, (nth) => (nth === at ? status : undefined));
}

function checkBooks(driver: Driver): void {
  const { keySlots, keyIds, pages, hostPages, vms } = driver.machine.snapshot();
  expect(keySlots.free + keySlots.assigned + keySlots.flushed + keySlots.leaked).toBe(
    keySlots.total,
  );
  expect(driver.machine.keySlots.used).toBe(keySlots.total - keySlots.free);
  const hkids = vms.flatMap((vm) => vm.td?.hkid ?? []);
  expect(new Set(hkids).size).toBe(hkids.length);
  for (const hkid of hkids) {
    expect(keyIds.find((key) => key.hkid === hkid)?.state).not.toBe('free');
  }
  const inModule = Object.values(pages).reduce((sum, count) => sum + count, 0);
  expect(inModule).toBeLessThanOrEqual(hostPages.inUse + hostPages.leaked);
}

describe('over random ioctl sequences', () => {
  test('key slots add up at every step, and no two TDs have the same', () => {
    fc.assert(
      fc.property(
        anyMachine,
        anySequence,
        faultOf([...buildLeaves, ...teardownLeaves]),
        (machine, sequence, fault) => {
          const driver = new Driver(machine);
          faulty(driver, fault);
          play(driver, sequence, () => checkBooks(driver));
        },
      ),
    );
  });

  test('after every handle is released everything is back, whatever a build leaf answered', () => {
    fc.assert(
      fc.property(anyMachine, anySequence, faultOf(buildLeaves), (machine, sequence, fault) => {
        const driver = new Driver(machine);
        faulty(driver, fault);
        play(driver, sequence, () => {});
        const { keySlots, pages, hostPages, vms, handles, cgroups } = driver.machine.snapshot();
        expect(keySlots.free).toBe(keySlots.total);
        expect(Object.values(pages)).toEqual([0, 0, 0, 0, 0]);
        expect(hostPages).toEqual({ inUse: 0, leaked: 0 });
        expect(vms).toEqual([]);
        expect(handles).toBe(1);
        expect(cgroups.every(({ usage }) => usage === 0)).toBe(true);
      }),
    );
  });

  test('what is not back was expressly leaked, and the kernel counts what the module keeps', () => {
    fc.assert(
      fc.property(anyMachine, anySequence, faultOf(teardownLeaves), (machine, sequence, fault) => {
        const driver = new Driver(machine);
        faulty(driver, fault);
        play(driver, sequence, () => {});
        const { keySlots, pages, hostPages, vms } = driver.machine.snapshot();
        expect(keySlots).toMatchObject({ assigned: 0, flushed: 0 });
        expect(hostPages.inUse).toBe(0);
        expect(vms).toEqual([]);
        const kept = Object.values(pages).reduce((sum, count) => sum + count, 0);
        expect(kept).toBeLessThanOrEqual(hostPages.leaked);
      }),
    );
  });

  test('a dead VM never answers anything but EIO', () => {
    fc.assert(
      fc.property(anyMachine, anySequence, faultOf(buildLeaves), (machine, sequence, fault) => {
        const driver = new Driver(machine);
        faulty(driver, fault);
        const held: Held = { vm: [], vcpu: [], guestMemfd: [] };
        for (const [step, choice] of sequence) {
          steps[step]?.(driver, held, choice);
          const dead = driver.machine.snapshot().vms.filter((vm) => vm.dead).length;
          const eio = held.vm.filter((vm) => driver.check(vm, 'KVM_CAP_IRQFD') === 'EIO').length;
          // A dead VM whose own fd is closed lives on through its other files.
          expect(eio).toBeLessThanOrEqual(dead);
          for (const vm of held.vm) {
            if (driver.check(vm, 'KVM_CAP_IRQFD') !== 'EIO') continue;
            expect(driver.initVm(vm)).toBe('EIO');
            expect(driver.createVcpu(vm, 1)).toBe('EIO');
            expect(driver.createGuestMemfd(vm)).toBe('EIO');
            expect(driver.terminateVm(vm)).toBe('EIO');
          }
        }
      }),
    );
  });

  test('every status word of a leaf is one that the reference names', () => {
    fc.assert(
      fc.property(anyMachine, anySequence, (machine, sequence) => {
        const driver = new Driver(machine);
        const unknown: bigint[] = [];
        driver.machine.listen((event) => {
          if (event.kind !== 'seamcall') return;
          if (decodeStatus(event.status).name === undefined) unknown.push(event.status);
          // Without faults the kernel never makes a call that the module refuses as it tears down.
          if (isStatusError(event.status) && event.leaf.startsWith('TDH.PHYMEM')) {
            unknown.push(event.status);
          }
        });
        play(driver, sequence, () => {});
        expect(unknown).toEqual([]);
      }),
    );
  });

  test('the same sequence gives the same trace', () => {
    fc.assert(
      fc.property(anyMachine, anySequence, (machine, sequence) => {
        const traceOf = () => {
          const driver = new Driver(machine);
          const calls = driver.record();
          play(driver, sequence, () => {});
          return calls;
        };
        expect(traceOf()).toEqual(traceOf());
      }),
      { numRuns: 30 },
    );
  });

  test('another process gets EIO from every ioctl and changes nothing', () => {
    const driver = new Driver();
    const { vm, vcpus } = driver.builtTd();
    const before = driver.machine.snapshot();
    driver.mm = 2;
    expect(driver.finalizeVm(vm, command('KVM_TDX_FINALIZE_VM'))).toBe('EIO');
    expect(driver.setCpuid2(vcpus[0] as number)).toBe('EIO');
    expect(driver.createVcpu(vm, 3)).toBe('EIO');
    const { clock: _, ...after } = driver.machine.snapshot();
    expect({ ...after, clock: before.clock }).toEqual(before);
  });
});
