/** The ioctls of a vCPU, as kvm_vcpu_ioctl() and kvm_arch_vcpu_ioctl() have them. */
import { type VcpuStateRequestName, vcpuStateBytes } from '../../../abi/kvm/vcpu-state.ts';
import type { ClientCall } from '../client-call.ts';
import { cpuidInMemory, oldCpuidInMemory } from '../cpuid.ts';
import { Place } from '../place.ts';
import { RunPageInMemory } from '../run-page.ts';
import { structs } from '../structs.ts';
import { u32InMemory, u64InMemory } from '../user-structs.ts';
import { argument, type Decoder, type DecoderTable, structOf } from './decoder.ts';
import { enableVcpuCap, systemAndVcpu, vmAndVcpu } from './shared.ts';
import { tdxCommand } from './tdx.ts';

export const vcpuDecoders: DecoderTable = {
  KVM_RUN: ({ arg, runPage }) => ({ request: 'KVM_RUN', arg, page: new RunPageInMemory(runPage) }),
  KVM_ENABLE_CAP: enableVcpuCap,
  KVM_PRE_FAULT_MEMORY: (call) => ({
    request: 'KVM_PRE_FAULT_MEMORY',
    range: structOf(call, structs.kvm_pre_fault_memory),
  }),
  KVM_SET_CPUID2: (call) => ({
    request: 'KVM_SET_CPUID2',
    cpuid: cpuidInMemory(argument(call)),
  }),
  KVM_GET_CPUID2: (call) => ({
    request: 'KVM_GET_CPUID2',
    cpuid: cpuidInMemory(argument(call)),
  }),
  KVM_SET_CPUID: (call) => ({
    request: 'KVM_SET_CPUID',
    cpuid: oldCpuidInMemory(argument(call)),
  }),
  KVM_TRANSLATE: (call) => ({ request: 'KVM_TRANSLATE', struct: argument(call) }),
  KVM_X86_SET_MCE: (call) => ({ request: 'KVM_X86_SET_MCE', struct: argument(call) }),
  KVM_GET_ONE_REG: (call) => ({ request: 'KVM_GET_ONE_REG', ...oneReg(call) }),
  KVM_SET_ONE_REG: (call) => ({ request: 'KVM_SET_ONE_REG', ...oneReg(call) }),
  KVM_GET_REG_LIST: (call) => ({ request: 'KVM_GET_REG_LIST', struct: argument(call) }),
  KVM_XEN_VCPU_GET_ATTR: (call) => ({ request: 'KVM_XEN_VCPU_GET_ATTR', struct: argument(call) }),
  KVM_XEN_VCPU_SET_ATTR: (call) => ({ request: 'KVM_XEN_VCPU_SET_ATTR', struct: argument(call) }),
  KVM_GET_MP_STATE: (call) => ({
    request: 'KVM_GET_MP_STATE',
    mpState: u32InMemory(argument(call)),
  }),
  KVM_SET_MP_STATE: (call) => ({
    request: 'KVM_SET_MP_STATE',
    mpState: u32InMemory(argument(call)),
  }),
  KVM_X86_SETUP_MCE: (call) => ({
    request: 'KVM_X86_SETUP_MCE',
    mcgCap: u64InMemory(argument(call)),
  }),
  KVM_TPR_ACCESS_REPORTING: (call) => ({
    request: 'KVM_TPR_ACCESS_REPORTING',
    control: structOf(call, structs.kvm_tpr_access_ctl),
  }),
  KVM_SET_VAPIC_ADDR: (call) => ({
    request: 'KVM_SET_VAPIC_ADDR',
    address: u64InMemory(argument(call)),
  }),
  KVM_SET_SIGNAL_MASK: (call) => ({ request: 'KVM_SET_SIGNAL_MASK', mask: signalMask(call) }),
  KVM_INTERRUPT: (call) => ({ request: 'KVM_INTERRUPT', vector: u32InMemory(argument(call)) }),
  KVM_KVMCLOCK_CTRL: () => ({ request: 'KVM_KVMCLOCK_CTRL' }),
  KVM_NMI: () => ({ request: 'KVM_NMI' }),
  KVM_SMI: () => ({ request: 'KVM_SMI' }),
  KVM_MEMORY_ENCRYPT_OP: tdxCommand,
  ...vmAndVcpu,
  ...systemAndVcpu,
  ...stateDecoders(),
};

/** The pointer to the value is looked up where the kernel reads or writes it. */
function oneReg(call: ClientCall) {
  const struct = argument(call);
  const addr = () => struct.readStruct(structs.kvm_one_reg)?.addr;
  return { struct, value: u64InMemory(new Place(call.memory, addr)) };
}

/** The model moves these structs as a whole, and looks at no field of them. */
function stateDecoders(): DecoderTable {
  const decoders: Record<string, Decoder> = {};
  for (const name of Object.keys(vcpuStateBytes) as VcpuStateRequestName[]) {
    decoders[name] = (call) => ({ request: name, state: argument(call) });
  }
  return decoders;
}

/** A NULL argument takes the mask away. The kernel reads the length alone first. */
function signalMask(call: ClientCall) {
  if (call.arg === 0n) return undefined;
  const place = argument(call);
  return {
    readLength: () => place.readU32(structs.kvm_signal_mask.fields.len[0]),
    readSignals: () => {
      const set = place.read(8, structs.kvm_signal_mask.sizeBytes);
      return set && new DataView(set.buffer, set.byteOffset).getBigUint64(0, true);
    },
  };
}
