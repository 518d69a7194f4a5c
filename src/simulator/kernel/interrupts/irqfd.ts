/** KVM_IRQFD is modelled on virt/kvm/eventfd.c. */
import type { Answer, IrqfdStruct, UserStruct } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Step, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import { eventfdId, eventfdSteps } from './eventfd.ts';

const flag = { deassign: 1, resample: 2, all: 3 } as const;

interface IrqfdCall {
  readonly kernel: Kernel;
  readonly vm: Vm;
  readonly args: CopiedIn<IrqfdStruct>;
}

const has = ({ args }: IrqfdCall, bit: number) => (args.value.flags & bit) !== 0;
const assigning =
  (step: Step<IrqfdCall>): Step<IrqfdCall> =>
  (call) =>
    !has(call, flag.deassign) && step(call);
const resampling = (step: Step<IrqfdCall>) =>
  assigning((call) => has(call, flag.resample) && step(call));

const steps: Steps<IrqfdCall> = {
  'argument.unreadable': ({ args }) => args.fails(),
  'irqfd.flags': (call) => has(call, ~flag.all),
  'irqfd.no-irqchip': assigning(({ vm }) => vm.irqchip === 'none'),
  // An interrupt can be sampled again only where the kernel has the I/O APIC.
  'irqfd.resample-split': resampling(({ vm }) => vm.irqchip !== 'kernel'),
  'kernel.no-memory': assigning(faultStep('kernel.no-memory', 'KVM_IRQFD: allocate')),
  ...eventfdSteps,
  'irqfd.resamplefd-closed': resampling(({ args }) => args.value.resamplefd === 'not open'),
  'irqfd.resamplefd-other-file': resampling(
    ({ args }) => args.value.resamplefd === 'not an eventfd',
  ),
  // An eventfd can have only one irqfd, even across VMs.
  'irqfd.eventfd-taken': assigning(({ kernel, args }) => {
    const eventfd = eventfdId(args.value.eventfd);
    return [...kernel.vms].some(({ irqfds }) => irqfds.some((each) => each.eventfd === eventfd));
  }),
};

export function irqfd(kernel: Kernel, vm: Vm, user: UserStruct<IrqfdStruct>): Answer {
  const call = { kernel, vm, args: new CopiedIn(() => user.read()) };
  const refused = firstRefusal(kernel, 'KVM_IRQFD', { steps, call });
  if (refused !== undefined) return refused;
  const { gsi } = call.args.value;
  const eventfd = eventfdId(call.args.value.eventfd);
  if (has(call, flag.deassign)) {
    // It is no error if there is no such irqfd.
    vm.irqfds = vm.irqfds.filter((each) => each.eventfd !== eventfd || each.gsi !== gsi);
  } else {
    vm.irqfds.push({ eventfd, gsi });
  }
  return done;
}
