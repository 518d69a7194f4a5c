/** What a kernel does, of what a run depends on, as its record says it. */
import {
  guestMemorySharing,
  hasCommand,
  hasMaxVcpusCap,
  type KernelAbi,
  makesVcpusFirst,
} from '../abi/kvm/kernels/record.ts';
import type { HostFacts } from './facts.ts';

export type KernelFacts = Omit<HostFacts['kernel'], 'rules' | 'apiVersion'>;

export function kernelFactsOf(abi: KernelAbi): KernelFacts {
  return {
    hasMaxVcpusCap: hasMaxVcpusCap(abi),
    takesMaxVcpusInInitVm: abi.maxVcpus.inInitVm,
    presentCpusBind: abi.maxVcpus.atCreateVm.includes('present CPUs'),
    vcpusBeforeInitVm: makesVcpusFirst(abi),
    initVmStruct: abi.initVm.struct,
    movesTds: abi.move !== undefined,
    sharesGuestMemory: guestMemorySharing(abi),
    memoryAttributesOf: abi.memory.attributesOf,
    hasTerminateVm: hasCommand(abi, 'KVM_TDX_TERMINATE_VM'),
  };
}
