/** What holds whatever a process does: random ioctl sequences with faults in between. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { vmTypes } from '../../src/abi/kvm/vm-types.ts';
import { decodeStatus, isStatusError, statusWord } from '../../src/abi/tdx/status.ts';
import { type KernelAbiName, kernelAbis, StructValue } from '../../src/simulator/index.ts';
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

/** Before v8 there may be no key ID for it. */
const createTd = (driver: Driver) =>
  driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: vmTypes.KVM_X86_TDX_VM });

/** A TD that is built, as far as its key slot and the faults let it: where the deep states begin. */
const buildTd: Step = (driver, held, choice) => {
  const vm = createTd(driver);
  if (typeof vm !== 'number') return;
  held.vm.push(vm);
  driver.prepareTd(vm);
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

/** What a migration does: a VM with vCPUs and the source's memory, and the move. */
const moveIntoNewVm: Step = (driver, held, choice) => {
  const source = pick(held.vm, choice);
  if (source === undefined) return;
  const destination = createTd(driver);
  if (typeof destination !== 'number') return;
  held.vm.push(destination);
  driver.prepareTd(destination);
  if (choice % 4 === 0) driver.initVm(destination);
  for (let id = 0; id <= choice % 3; id++) {
    const vcpu = driver.createVcpu(destination, id);
    if (typeof vcpu !== 'number') continue;
    held.vcpu.push(vcpu);
    driver.setCpuid2(vcpu);
  }
  const shared = pick(held.guestMemfd, choice);
  const linked = driver.link(destination, shared);
  keep(held.guestMemfd, linked);
  driver.setSlot(destination, typeof linked === 'number' ? linked : shared);
  driver.finalizeVm(source);
  driver.move(destination, source);
};

const steps: readonly Step[] = [
  buildTd,
  buildTd,
  (driver, held) => keep(held.vm, createTd(driver)),
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
  onVm((driver, vm, held, choice) =>
    keep(held.guestMemfd, driver.link(vm, pick(held.guestMemfd, choice))),
  ),
  onVm((driver, vm, held, choice) => driver.move(vm, pick(held.vm, choice + 1) ?? 0)),
  moveIntoNewVm,
  onVcpu((driver, vcpu) => driver.setCpuid2(vcpu)),
  onVcpu((driver, vcpu, choice) => {
    const run = driver.run(vcpu, { immediateExit: choice % 2 === 0 });
    if (choice % 3 === 0) run.cancel();
  }),
  onVcpu((driver, vcpu) =>
    driver.call(vcpu, {
      request: 'KVM_PRE_FAULT_MEMORY',
      range: new StructValue({ gpa: ramGpa, size: 4n * page, flags: 0n }),
    }),
  ),
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
const profiles = ['spr-1.5', 'one-slot', 'small-client'] as const;
const machineOf = (kernelAbi: KernelAbiName) =>
  fc.record({ profile: fc.constantFrom(...profiles), kernelAbi: fc.constant(kernelAbi) });
const numRuns = 40;

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
  const { total, ...states } = keySlots;
  expect(sum(Object.values(states))).toBe(total);
  expect(driver.machine.keySlots.used).toBe(total - keySlots.free);
  const hkids = vms.flatMap((vm) => vm.td?.hkid ?? []);
  expect(new Set(hkids).size).toBe(hkids.length);
  for (const hkid of hkids) {
    expect(keyIds.find((key) => key.hkid === hkid)?.state).not.toBe('free');
  }
  const inModule = sum(Object.values(pages));
  expect(inModule).toBeLessThanOrEqual(hostPages.inUse + hostPages.leaked);
  expect(sum(vms.map((vm) => vm.td?.modulePages ?? 0))).toBeLessThanOrEqual(inModule);
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** Which TD has which page, told from successful leaves alone. */
class PageOwners {
  readonly problems: string[] = [];
  readonly #owned = new Set<number>();
  readonly #privatePages = new Map<string, number>();

  constructor(driver: Driver) {
    driver.machine.listen((event) => {
      if (event.kind !== 'seamcall' || isStatusError(event.status)) return;
      const { rcx, rdx, r8 } = event.operands as Record<'rcx' | 'rdx' | 'r8', number>;
      this.#leaf(event.leaf, { rcx, rdx, r8 });
    });
  }

  #leaf(leaf: string, { rcx, rdx, r8 }: { rcx: number; rdx: number; r8: number }): void {
    const place = `${rdx} ${rcx}`;
    switch (leaf) {
      case 'TDH.MNG.CREATE':
      case 'TDH.MNG.ADDCX':
      case 'TDH.VP.CREATE':
      case 'TDH.VP.ADDCX':
        this.#take(rcx, leaf);
        break;
      case 'TDH.MEM.SEPT.ADD':
        this.#take(r8, leaf);
        break;
      case 'TDH.MEM.PAGE.ADD':
      case 'TDH.MEM.PAGE.AUG':
        this.#privatePages.set(place, r8);
        this.#take(r8, leaf);
        break;
      case 'TDH.MEM.PAGE.REMOVE':
        this.#give(this.#privatePages.get(place) ?? -1, leaf);
        break;
      case 'TDH.PHYMEM.PAGE.RECLAIM':
        this.#give(rcx, leaf);
        break;
    }
  }

  #take(page: number, leaf: string): void {
    if (this.#owned.has(page)) this.problems.push(`${leaf} takes ${page}, which has an owner`);
    this.#owned.add(page);
  }

  #give(page: number, leaf: string): void {
    if (!this.#owned.delete(page)) this.problems.push(`${leaf} gives ${page}, which has no owner`);
  }
}

/** Moves that overwrite a TD, or part it from a vCPU, lose pages and key slots; nothing else does. */
const movesLose = (name: KernelAbiName) => kernelAbis[name].move !== undefined;

describe.each(Object.keys(kernelAbis) as KernelAbiName[])(
  'over random ioctl sequences (%s)',
  (kernelAbi) => {
    const anyMachine = machineOf(kernelAbi);

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
        { numRuns },
      );
    });

    test('no page ever has two owners', () => {
      fc.assert(
        fc.property(anyMachine, anySequence, faultOf(buildLeaves), (machine, sequence, fault) => {
          const driver = new Driver(machine);
          const owners = new PageOwners(driver);
          faulty(driver, fault);
          play(driver, sequence, () => {});
          expect(owners.problems).toEqual([]);
        }),
        { numRuns },
      );
    });

    test('after every handle is released everything is back, but what was expressly leaked', () => {
      fc.assert(
        fc.property(anyMachine, anySequence, faultOf(buildLeaves), (machine, sequence, fault) => {
          const driver = new Driver(machine);
          faulty(driver, fault);
          play(driver, sequence, () => {});
          const { keySlots, pages, hostPages, vms, handles } = driver.machine.snapshot();
          expect(keySlots.free + keySlots.leaked).toBe(keySlots.total);
          expect(hostPages.inUse).toBe(0);
          expect(vms).toEqual([]);
          expect(handles).toBe(1);
          expect(sum(Object.values(pages))).toBeLessThanOrEqual(hostPages.leaked);
          if (movesLose(kernelAbi)) return;
          expect(keySlots.leaked).toBe(0);
          expect(hostPages.leaked).toBe(0);
          const { cgroups } = driver.machine.snapshot();
          expect(cgroups.every(({ usage }) => usage === 0)).toBe(true);
        }),
        { numRuns },
      );
    });

    test('what a teardown leaf keeps is leaked, and the kernel counts what the module keeps', () => {
      fc.assert(
        fc.property(
          anyMachine,
          anySequence,
          faultOf(teardownLeaves),
          (machine, sequence, fault) => {
            const driver = new Driver(machine);
            faulty(driver, fault);
            play(driver, sequence, () => {});
            const { keySlots, pages, hostPages, vms } = driver.machine.snapshot();
            expect(keySlots).toMatchObject({ assigned: 0, flushed: 0 });
            expect(hostPages.inUse).toBe(0);
            expect(vms).toEqual([]);
            expect(sum(Object.values(pages))).toBeLessThanOrEqual(hostPages.leaked);
          },
        ),
        { numRuns },
      );
    });

    test('a dead or bugged VM never answers anything but EIO', () => {
      fc.assert(
        fc.property(anyMachine, anySequence, faultOf(buildLeaves), (machine, sequence, fault) => {
          const driver = new Driver(machine);
          faulty(driver, fault);
          const held: Held = { vm: [], vcpu: [], guestMemfd: [] };
          for (const [step, choice] of sequence) {
            steps[step]?.(driver, held, choice);
            const dead = driver.machine.snapshot().vms.filter((vm) => vm.dead).length;
            const eio = held.vm.filter((vm) => driver.check(vm, 'KVM_CAP_IRQFD') === 'EIO');
            // A dead VM whose own fd is closed lives on through its other files.
            expect(eio.length).toBeLessThanOrEqual(dead);
            for (const vm of eio) {
              expect(driver.initVm(vm)).toBe('EIO');
              expect(driver.createVcpu(vm, 1)).toBe('EIO');
              expect(driver.createGuestMemfd(vm)).toBe('EIO');
              expect(driver.terminateVm(vm)).toBe('EIO');
              expect(driver.move(vm, held.vm[0] ?? 0)).toBe('EIO');
            }
          }
        }),
        { numRuns },
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
            // Without faults the kernel makes no call that the module refuses as it tears down.
            const isTeardown = event.leaf.startsWith('TDH.PHYMEM') && !movesLose(kernelAbi);
            if (isStatusError(event.status) && isTeardown) unknown.push(event.status);
          });
          play(driver, sequence, () => {});
          expect(unknown).toEqual([]);
        }),
        { numRuns },
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
  },
);

describe('another process', () => {
  test('gets EIO from every ioctl and changes nothing', () => {
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
