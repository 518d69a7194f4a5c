/** What holds whatever a process does: random ioctl sequences with faults in between. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeStatus, isStatusError, statusWord } from '../../src/abi/tdx/status.ts';
import { type KernelAbiName, kernelAbis } from '../../src/simulator/index.ts';
import { Driver } from './drive.ts';
import { anySequence, nothingHeld, play, steps } from './steps.ts';
import { command } from './structs.ts';
import { someVcpuRequest, someVmRequest } from './vmm-requests.ts';

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

const faultOf = <L extends string>(leaves: readonly L[]) =>
  fc.option(fc.tuple(fc.constantFrom(...leaves), fc.constantFrom(...statuses), fc.nat(6)));
const profiles = ['spr-1.5', 'one-slot', 'small-client'] as const;
const machineOf = (kernelAbi: KernelAbiName) =>
  fc.record({ profile: fc.constantFrom(...profiles), kernelAbi: fc.constant(kernelAbi) });
const numRuns = 40;

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
          const held = nothingHeld();
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
              expect(driver.call(vm, someVmRequest(choice))).toBe('EIO');
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
    for (let choice = 0; choice < 12; choice++) {
      expect(driver.call(vm, someVmRequest(choice))).toBe('EIO');
      expect(driver.call(vcpus[0] as number, someVcpuRequest(choice))).toBe('EIO');
    }
    const { clock: _, ...after } = driver.machine.snapshot();
    expect({ ...after, clock: before.clock }).toEqual(before);
  });
});
