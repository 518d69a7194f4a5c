/** KVM_IOEVENTFD is modelled on virt/kvm/eventfd.c. */
import type { Answer, IoeventfdStruct, UserStruct } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Step, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Bus, IoEventfd, Vm } from '../objects.ts';
import { eventfdId, eventfdSteps } from './eventfd.ts';
import { isBusFull } from './io-bus.ts';

const flag = { datamatch: 1, pio: 2, deassign: 4, ccw: 8, all: 0x1f } as const;
const lengths: ReadonlySet<number> = new Set([0, 1, 2, 4, 8]);
const u64 = 1n << 64n;

interface IoeventfdCall {
  readonly kernel: Kernel;
  readonly vm: Vm;
  readonly args: CopiedIn<IoeventfdStruct>;
}

const has = ({ args }: IoeventfdCall, bit: number) => (args.value.flags & bit) !== 0;
/** DEASSIGN checks neither the length nor the other flags: it simply finds no ioeventfd with such values. */
const assigning =
  (step: Step<IoeventfdCall>): Step<IoeventfdCall> =>
  (call) =>
    !has(call, flag.deassign) && step(call);

const steps: Steps<IoeventfdCall> = {
  'argument.unreadable': ({ args }) => args.fails(),
  'ioeventfd.length': assigning(({ args }) => !lengths.has(args.value.len)),
  'ioeventfd.range': assigning(({ args: { value } }) => value.addr + BigInt(value.len) >= u64),
  'ioeventfd.flags': assigning((call) => has(call, ~flag.all)),
  'ioeventfd.datamatch-without-length': assigning(
    (call) => call.args.value.len === 0 && has(call, flag.datamatch),
  ),
  ...eventfdSteps,
  'kernel.no-memory': assigning(faultStep('kernel.no-memory', 'KVM_IOEVENTFD: allocate')),
  'ioeventfd.collides': assigning(({ vm, args }) => {
    const added = placeOf(args.value);
    return vm.ioEventfds.some((each) => collides(each, added));
  }),
  'io-bus.full': assigning(({ vm, args }) => isBusFull(vm, placeOf(args.value).bus)),
  'ioeventfd.not-there': (call) => has(call, flag.deassign) && indexOf(call) < 0,
};

export function ioeventfd(kernel: Kernel, vm: Vm, user: UserStruct<IoeventfdStruct>): Answer {
  const call = { kernel, vm, args: new CopiedIn(() => user.read()) };
  const refused = firstRefusal(kernel, 'KVM_IOEVENTFD', { steps, call });
  if (refused !== undefined) return refused;
  if (has(call, flag.deassign)) vm.ioEventfds.splice(indexOf(call), 1);
  else vm.ioEventfds.push(placeOf(call.args.value));
  return done;
}

function indexOf({ vm, args }: IoeventfdCall): number {
  const { bus, addr, len, datamatch, eventfd } = placeOf(args.value);
  return vm.ioEventfds.findIndex(
    (each) =>
      each.bus === bus &&
      each.eventfd === eventfd &&
      each.addr === addr &&
      each.len === len &&
      each.datamatch === datamatch,
  );
}

function placeOf({ addr, len, flags, datamatch, eventfd }: IoeventfdStruct): IoEventfd {
  return {
    bus: busOf(flags),
    addr,
    len,
    eventfd: eventfdId(eventfd),
    datamatch: (flags & flag.datamatch) !== 0 ? datamatch : undefined,
  };
}

function busOf(flags: number): Bus {
  if ((flags & flag.pio) !== 0) return 'PIO';
  return (flags & flag.ccw) !== 0 ? 'CCW' : 'MMIO';
}

function collides(one: IoEventfd, other: IoEventfd): boolean {
  if (one.bus !== other.bus || one.addr !== other.addr) return false;
  if (one.len === 0 || other.len === 0) return true;
  if (one.len !== other.len) return false;
  if (one.datamatch === undefined || other.datamatch === undefined) return true;
  return one.datamatch === other.datamatch;
}
