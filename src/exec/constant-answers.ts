/** What /dev/kvm itself answers to everybody at any time, so that no call need come here for it. */
import type { SupervisedCommand } from '../../native/index.ts';
import { ioctlNumbers } from '../abi/kvm/requests.ts';
import type { Caller, Request, SimulatedMachine } from '../simulator/index.ts';

/** Beyond the last capability of any kernel there is; a higher number comes here. */
const capabilityNumbers = 512;

export function constantAnswers(machine: SimulatedMachine): SupervisedCommand['systemAnswers'] {
  const system = machine.open();
  if (!system.ok) return [];
  const value = (request: Request) => {
    const answer = machine.ioctl(nobody, system.value, request);
    return answer.ok ? answer.value : undefined;
  };
  const answers = [
    {
      request: ioctlNumbers.KVM_GET_API_VERSION,
      argument: 0,
      value: value({ request: 'KVM_GET_API_VERSION', arg: 0n }),
    },
    {
      request: ioctlNumbers.KVM_GET_VCPU_MMAP_SIZE,
      argument: 0,
      value: value({ request: 'KVM_GET_VCPU_MMAP_SIZE', arg: 0n }),
    },
    ...Array.from({ length: capabilityNumbers }, (_, capability) => ({
      request: ioctlNumbers.KVM_CHECK_EXTENSION,
      argument: capability,
      value: value({ request: 'KVM_CHECK_EXTENSION', capability }),
    })),
  ];
  machine.release(system.value);
  return answers.flatMap(({ value: known, ...rest }) =>
    known === undefined ? [] : [{ ...rest, value: known }],
  );
}

/** These answers are the same for every caller, and read nothing of him. */
const nobody: Caller = {
  mm: 0,
  cgroup: '/',
  memory: { read: () => undefined },
  pendingSignal: () => 'none',
};
