/** What makes up a guest in a plain VM, which user space carries to another one by KVM's own ioctls. */
import type {
  Vcpu as NativeVcpu,
  Vm as NativeVm,
  VcpuState,
  VcpuStateShape,
} from '../../../native/index.ts';
import { answered } from '../native/answers.ts';
import type { StateParts } from '../native/native-guest.ts';

/** The two PICs, and the I/O APIC. */
const chips = [0, 1, 2];

export function plainVmState(
  vm: NativeVm,
  vcpus: readonly NativeVcpu[],
  shape: VcpuStateShape,
): StateParts {
  return {
    // Before the vCPUs, whose interrupts come through them.
    irqchips: {
      get: () => Promise.all(chips.map((chip) => answered(vm.kvmGetIrqchip(chip)))),
      set: async (irqchips: readonly Uint8Array[]) => {
        for (const irqchip of irqchips) await answered(vm.kvmSetIrqchip(irqchip));
      },
    },
    pit: {
      get: () => answered(vm.kvmGetPit2()),
      set: (pit: Uint8Array) => answered(vm.kvmSetPit2(pit)),
    },
    clock: {
      get: () => answered(vm.kvmGetClock()),
      set: (clock: Uint8Array) => answered(vm.kvmSetClock(clock)),
    },
    vcpus: {
      get: () => Promise.all(vcpus.map((vcpu) => answered(vcpu.getState(shape)))),
      set: async (states: readonly VcpuState[]) => {
        await Promise.all(states.map((state, place) => vcpus[place]?.setState(state)));
      },
    },
  };
}
