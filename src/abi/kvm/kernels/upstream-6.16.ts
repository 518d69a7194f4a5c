import type { KernelAbi } from './kernel-abi.ts';
import { upstream73 } from './upstream-7.3.ts';

export const upstream616: KernelAbi = {
  ...upstream73,
  name: 'upstream-6.16',
  description: 'the first released kernel with TDX',
  source:
    'torvalds/linux, arch/x86/kvm/vmx/tdx.c @ 3829d81b6958; virt/kvm/kvm_main.c @ 0f7e60a5f42a',
  unconfirmed: [
    'the version number: inferred from the content of the file, not from a tag',
    'TDH.MEM.SEPT.ADD with a busy operand is EBUSY, as PAGE.ADD is',
    'a module without the field MAX_VCPUS_PER_TD counts as 0xffff: only a comment says so',
  ],
  bringUp: { ...upstream73.bringUp, limitMissing: 'counts as 0xffff' },
  tdxDispatch: {
    capabilitiesChecks: ['flags', 'allocate', 'nent', 'size'],
    capabilitiesWrittenBack: true,
    vmCommandsLockVcpus: false,
    vcpuChecks: ['locks', 'td state', 'command'],
    vcpuSecondStage: false,
  },
  initVm: { ...upstream73.initVm, mngCreateRefused: 'warns' },
  createVcpu: {
    ...upstream73.createVcpu,
    checks: [
      'id range',
      'vCPU limit',
      'max_vcpu_ids',
      'allocate',
      'td state',
      'irqchip',
      'id exists',
      'install the fd',
    ],
  },
  initMemRegion: { sourceAddressZero: 'read like any other', operandBusy: 'EBUSY' },
  finalizeCountsPremapped: true,
  mapGpaResults: 'any',
};
