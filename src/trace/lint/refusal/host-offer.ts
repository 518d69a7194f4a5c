/** What KVM_TDX_CAPABILITIES says on a simulated host. */
import { tdxCommands } from '../../../abi/kvm/requests.ts';
import { vmTypes } from '../../../abi/kvm/vm-types.ts';
import {
  type Caller,
  type CapabilitiesStruct,
  CapabilitiesValue,
  createSimulatedHost,
  StructValue,
} from '../../../simulator/index.ts';
import type { ReplayOptions } from '../replay/replay.ts';

/** More than any module lists. */
const roomForLeaves = 256;

/** undefined where the host has no TDs. */
export function hostOffer(options: ReplayOptions): CapabilitiesStruct | undefined {
  const machine = createSimulatedHost(options);
  const caller: Caller = {
    mm: 1,
    cgroup: '/',
    memory: { read: () => undefined },
    pendingSignal: () => 'none',
  };
  const kvm = machine.open();
  if (!kvm.ok) return undefined;
  const type = vmTypes.KVM_X86_TDX_VM;
  const vm = machine.ioctl(caller, kvm.value, { request: 'KVM_CREATE_VM', type });
  if (!vm.ok) return undefined;
  const id = tdxCommands.KVM_TDX_CAPABILITIES;
  const data = new CapabilitiesValue(roomForLeaves);
  const cmd = new StructValue({ id, flags: 0, data: 0n, hwError: 0n });
  machine.ioctl(caller, vm.value, { request: 'KVM_TDX_CAPABILITIES', cmd, data });
  return data.value;
}
