import type { KernelAbi } from '../../kernel/kernel-abi.ts';

export const upstream73: KernelAbi = {
  name: 'upstream-7.3',
  description: 'the current kernel',
  source: 'Linux 7.3, arch/x86/kvm (Debian linux-source-7.3 7.3.4-1~bpo13+1)',
  tdxCommands: [
    'KVM_TDX_CAPABILITIES',
    'KVM_TDX_INIT_VM',
    'KVM_TDX_INIT_VCPU',
    'KVM_TDX_INIT_MEM_REGION',
    'KVM_TDX_FINALIZE_VM',
    'KVM_TDX_GET_CPUID',
  ],
  maxVcpus: { atCreateVm: ['KVM_MAX_VCPUS', 'present CPUs'], capability: false },
  createVcpuWhen: ['INITIALIZED'],
  quirks: { unchargesFailedCharge: true },
};
