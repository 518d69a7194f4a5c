/** What makes up a guest in a plain VM, which user space carries to another one by KVM's own ioctls. */
import type {
  Vcpu as NativeVcpu,
  Vm as NativeVm,
  VcpuState,
  VcpuStateShape,
  VmState,
} from '../../../native/index.ts';
import { answered } from '../native/answers.ts';
import type { StateParts } from '../native/native-guest.ts';

const wholePc = { irqchip: true, pit: true, clock: true } as const;

/** @param shape what there is of a vCPU's state. */
export function plainVmState(
  vm: NativeVm,
  vcpus: readonly NativeVcpu[],
  shape: VcpuStateShape,
): StateParts {
  return {
    // Before the vCPUs, whose interrupts come through its controllers.
    vm: {
      get: () => answered(vm.getState(wholePc)),
      set: (state: VmState) => answered(vm.setState(state)),
    },
    vcpus: {
      get: () => Promise.all(vcpus.map((vcpu) => answered(vcpu.getState(shape)))),
      set: async (states: readonly VcpuState[]) => {
        await Promise.all(
          states.map((state, place) => vcpus[place] && answered(vcpus[place].setState(state))),
        );
      },
    },
  };
}
