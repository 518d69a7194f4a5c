/** What /dev/kvm answers to everybody at any time, so that the supervisor can answer such calls itself. */
import type { SupervisedCommand } from '../../native/index.ts';
import { type IoctlName, ioctlNumbers } from '../abi/kvm/requests.ts';
import type { Caller, KnownRequest, SimulatedMachine } from '../simulator/index.ts';

/** No kernel has a capability beyond these. A call about a higher number comes to the machine. */
const capabilityNumbers = 512;

export function constantAnswers(machine: SimulatedMachine): SupervisedCommand['systemAnswers'] {
  const system = machine.open();
  if (!system.ok) return [];
  const ask = (request: KnownRequest, argument: number) => {
    const answer = machine.ioctl(nobody, system.value, request);
    const number = ioctlNumbers[request.request as IoctlName];
    return answer.ok ? [{ request: number, argument, value: answer.value }] : [];
  };
  const answers = [
    ...ask({ request: 'KVM_GET_API_VERSION', arg: 0n }, 0),
    ...ask({ request: 'KVM_GET_VCPU_MMAP_SIZE', arg: 0n }, 0),
    ...Array.from({ length: capabilityNumbers }, (_, capability) =>
      ask({ request: 'KVM_CHECK_EXTENSION', capability }, capability),
    ).flat(),
  ];
  machine.release(system.value);
  return answers;
}

/** The answers are the same for every caller, and the machine reads nothing of it. */
const nobody: Caller = {
  mm: 0,
  cgroup: '/',
  memory: { read: () => undefined },
  pendingSignal: () => 'none',
};
