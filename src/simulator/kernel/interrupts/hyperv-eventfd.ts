/** KVM_HYPERV_EVENTFD follows kvm_vm_ioctl_hv_eventfd(): what a guest signals to a connection is an eventfd's. */
import type { Answer, HypervEventfdStruct, UserStruct } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';

const DEASSIGN = 1;
const connIdMask = 0xff_ffff;

interface HypervCall {
  readonly vm: Vm;
  readonly args: CopiedIn<HypervEventfdStruct>;
}

const isDeassign = ({ args }: HypervCall) => args.value.flags === DEASSIGN;
const isConnected = ({ vm, args }: HypervCall) => vm.hypervEventfds.has(args.value.connId);

const steps: Steps<HypervCall> = {
  'argument.unreadable': ({ args }) => args.fails(),
  'hyperv-eventfd.flags': ({ args }) => (args.value.flags & ~DEASSIGN) !== 0,
  'hyperv-eventfd.connection': ({ args }) => (args.value.connId & ~connIdMask) !== 0,
  'hyperv-eventfd.not-there': (call) => isDeassign(call) && !isConnected(call),
  'eventfd.closed': (call) => !isDeassign(call) && call.args.value.eventfd === 'not open',
  'eventfd.other-file': (call) => !isDeassign(call) && call.args.value.eventfd === 'not an eventfd',
  'hyperv-eventfd.exists': (call) => !isDeassign(call) && isConnected(call),
};

export function hypervEventfd(
  kernel: Kernel,
  vm: Vm,
  user: UserStruct<HypervEventfdStruct>,
): Answer {
  const call = { vm, args: new CopiedIn(() => user.read()) };
  const refused = firstRefusal(kernel, 'KVM_HYPERV_EVENTFD', { steps, call });
  if (refused !== undefined) return refused;
  const { connId } = call.args.value;
  if (isDeassign(call)) vm.hypervEventfds.delete(connId);
  else vm.hypervEventfds.add(connId);
  return done;
}
