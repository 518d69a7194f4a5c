/** ioctls of a vCPU: kvm_vcpu_ioctl(), kvm_arch_vcpu_ioctl(). */
import { RunPageInMemory } from '../run-page.ts';
import { structs } from '../structs.ts';
import { CpuidInMemory, Place } from '../user-structs.ts';
import { type DecoderTable, structOf, u32 } from './decoder.ts';
import { tdxCommand } from './tdx.ts';

export const vcpuDecoders: DecoderTable = {
  KVM_RUN: ({ arg, runPage }) => ({ request: 'KVM_RUN', arg, page: new RunPageInMemory(runPage) }),
  KVM_PRE_FAULT_MEMORY: (call) => ({
    request: 'KVM_PRE_FAULT_MEMORY',
    range: structOf(call, structs.kvm_pre_fault_memory),
  }),
  KVM_SET_CPUID2: ({ memory, arg }) => ({
    request: 'KVM_SET_CPUID2',
    cpuid: new CpuidInMemory(new Place(memory, arg)),
  }),
  KVM_SET_TSC_KHZ: ({ arg }) => ({ request: 'KVM_SET_TSC_KHZ', tscKhz: u32(arg) }),
  KVM_MEMORY_ENCRYPT_OP: tdxCommand,
};
