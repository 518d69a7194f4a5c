/** What a process may do to a machine, as steps of random sequences. */
import fc from 'fast-check';
import { vmTypes } from '../../src/abi/kvm/vm-types.ts';
import { StructValue } from '../../src/simulator/index.ts';
import type { Driver } from './drive.ts';
import { memRegion, page, ramGpa } from './structs.ts';
import { someVcpuRequest, someVmRequest } from './vmm-requests.ts';

/** Handles that a sequence has made, by kind; a choice picks one of them by number. */
export interface Held {
  readonly vm: number[];
  readonly vcpu: number[];
  readonly guestMemfd: number[];
  readonly stats: number[];
}

export const nothingHeld = (): Held => ({ vm: [], vcpu: [], guestMemfd: [], stats: [] });

export type Step = (driver: Driver, held: Held, choice: number) => void;

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

/** The life of a TD. */
export const lifeSteps: readonly Step[] = [
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
  ...(['vm', 'vcpu', 'guestMemfd', 'stats'] as const).map(
    (kind): Step =>
      (driver, held, choice) => {
        const handles = held[kind];
        if (handles.length === 0) return;
        driver.release(...handles.splice(choice % handles.length, 1));
      },
  ),
];

/** Besides its life, what a VMM asks of it. */
export const steps: readonly Step[] = [
  ...lifeSteps,
  onVm((driver, vm, held, choice) => {
    const request = someVmRequest(choice);
    const result = driver.call(vm, request);
    if (request.request === 'KVM_GET_STATS_FD') keep(held.stats, result);
  }),
  (driver, held, choice) => {
    const vcpu = pick(held.vcpu, choice);
    if (vcpu === undefined) return;
    const request = someVcpuRequest(choice);
    const result = driver.call(vcpu, request);
    if (request.request === 'KVM_GET_STATS_FD') keep(held.stats, result);
  },
];

type Sequence = readonly (readonly [step: number, choice: number])[];

export function sequenceOf(from: readonly Step[]): fc.Arbitrary<Sequence> {
  const anyStep = fc.tuple(fc.nat(from.length - 1), fc.nat(1000));
  return fc.array(anyStep, { minLength: 10, maxLength: 120 });
}

export const anySequence = sequenceOf(steps);
export const anyLife = sequenceOf(lifeSteps);

/** The steps of `lifeSteps` come first in `steps`, so a sequence of either can be played. */
export function play(driver: Driver, sequence: Sequence, after: () => void): void {
  const held = nothingHeld();
  for (const [step, choice] of sequence) {
    steps[step]?.(driver, held, choice);
    after();
  }
  driver.release(...held.vm, ...held.vcpu, ...held.guestMemfd, ...held.stats);
  after();
}
