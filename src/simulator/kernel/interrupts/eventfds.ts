/** KVM_IRQFD and KVM_IOEVENTFD. Order: virt/kvm/eventfd.c, Linux 7.3. */
import type {
  Answer,
  EventfdFact,
  IoeventfdStruct,
  IrqfdStruct,
  UserStruct,
} from '../../interface.ts';
import { done, type Refusal, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import type { Bus, IoEventfd, Vm } from '../objects.ts';
import { isBusFull } from './io-bus.ts';

const irqfdFlags = { deassign: 1, resample: 2, all: 3 } as const;
const ioeventfdFlags = { datamatch: 1, pio: 2, deassign: 4, ccw: 8, all: 0x1f } as const;
const ioeventfdLengths: ReadonlySet<number> = new Set([0, 1, 2, 4, 8]);
const u64 = 1n << 64n;

export function irqfd(kernel: Kernel, vm: Vm, user: UserStruct<IrqfdStruct>): Answer {
  const args = user.read();
  if (args === undefined) return refuse('EFAULT');
  if ((args.flags & ~irqfdFlags.all) !== 0) return refuse('EINVAL');
  return (args.flags & irqfdFlags.deassign) !== 0
    ? deassignIrqfd(vm, args)
    : assignIrqfd(kernel, vm, args);
}

function assignIrqfd(kernel: Kernel, vm: Vm, args: IrqfdStruct): Answer {
  const resamples = (args.flags & irqfdFlags.resample) !== 0;
  // An interrupt can be sampled again only where the kernel has the I/O APIC.
  const allowed = resamples ? vm.irqchip === 'kernel' : vm.irqchip !== 'none';
  if (!allowed) return refuse('EINVAL');
  const fault = faultAt(kernel, 'KVM_IRQFD: allocate');
  if (fault !== undefined) return fault;
  const eventfd = eventfdOf(args.eventfd);
  if (typeof eventfd !== 'number') return eventfd;
  const resamplefd = resamples ? eventfdOf(args.resamplefd) : undefined;
  if (typeof resamplefd === 'object') return resamplefd;
  // One eventfd has one irqfd, whatever VM that is of.
  for (const other of kernel.vms) {
    if (other.irqfds.some((each) => each.eventfd === eventfd)) return refuse('EBUSY');
  }
  vm.irqfds.push({ eventfd, gsi: args.gsi });
  return done;
}

/** There may be none of that kind; that is no error. */
function deassignIrqfd(vm: Vm, args: IrqfdStruct): Answer {
  const eventfd = eventfdOf(args.eventfd);
  if (typeof eventfd !== 'number') return eventfd;
  vm.irqfds = vm.irqfds.filter((each) => each.eventfd !== eventfd || each.gsi !== args.gsi);
  return done;
}

export function ioeventfd(kernel: Kernel, vm: Vm, user: UserStruct<IoeventfdStruct>): Answer {
  const args = user.read();
  if (args === undefined) return refuse('EFAULT');
  return (args.flags & ioeventfdFlags.deassign) !== 0
    ? deassignIoeventfd(vm, args)
    : assignIoeventfd(kernel, vm, args);
}

function assignIoeventfd(kernel: Kernel, vm: Vm, args: IoeventfdStruct): Answer {
  if (!ioeventfdLengths.has(args.len)) return refuse('EINVAL');
  if (args.addr + BigInt(args.len) >= u64) return refuse('EINVAL');
  if ((args.flags & ~ioeventfdFlags.all) !== 0) return refuse('EINVAL');
  if (args.len === 0 && (args.flags & ioeventfdFlags.datamatch) !== 0) return refuse('EINVAL');
  const eventfd = eventfdOf(args.eventfd);
  if (typeof eventfd !== 'number') return eventfd;
  const fault = faultAt(kernel, 'KVM_IOEVENTFD: allocate');
  if (fault !== undefined) return fault;
  const added = placeOf(args, eventfd);
  if (vm.ioEventfds.some((each) => collides(each, added))) return refuse('EEXIST');
  if (isBusFull(vm, added.bus)) return refuse('ENOSPC');
  vm.ioEventfds.push(added);
  return done;
}

/** Neither its length nor its other flags are looked at: such a one is not there. */
function deassignIoeventfd(vm: Vm, args: IoeventfdStruct): Answer {
  const eventfd = eventfdOf(args.eventfd);
  if (typeof eventfd !== 'number') return eventfd;
  const { bus, addr, len, datamatch } = placeOf(args, eventfd);
  const at = vm.ioEventfds.findIndex(
    (each) =>
      each.bus === bus &&
      each.eventfd === eventfd &&
      each.addr === addr &&
      each.len === len &&
      each.datamatch === datamatch,
  );
  if (at < 0) return refuse('ENOENT');
  vm.ioEventfds.splice(at, 1);
  return done;
}

function placeOf({ addr, len, flags, datamatch }: IoeventfdStruct, eventfd: number): IoEventfd {
  const matches = (flags & ioeventfdFlags.datamatch) !== 0;
  return { bus: busOf(flags), addr, len, eventfd, datamatch: matches ? datamatch : undefined };
}

function busOf(flags: number): Bus {
  if ((flags & ioeventfdFlags.pio) !== 0) return 'PIO';
  return (flags & ioeventfdFlags.ccw) !== 0 ? 'CCW' : 'MMIO';
}

function collides(one: IoEventfd, other: IoEventfd): boolean {
  if (one.bus !== other.bus || one.addr !== other.addr) return false;
  if (one.len === 0 || other.len === 0) return true;
  if (one.len !== other.len) return false;
  if (one.datamatch === undefined || other.datamatch === undefined) return true;
  return one.datamatch === other.datamatch;
}

function eventfdOf(fact: EventfdFact): number | Refusal {
  if (fact === 'not open') return refuse('EBADF');
  return fact === 'not an eventfd' ? refuse('EINVAL') : fact.id;
}
