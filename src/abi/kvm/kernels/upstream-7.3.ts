import { linux73Checks } from '../checks/index.ts';
import type { KernelAbi } from './record.ts';

export const upstream73: KernelAbi = {
  name: 'upstream-7.3',
  description: 'the current kernel',
  source: 'Linux 7.3, arch/x86/kvm (Debian linux-source-7.3 7.3.4-1~bpo13+1)',
  unconfirmed: [],
  checks: linux73Checks,
  unreachable: [
    // KVM_CREATE_VCPU holds kvm->lock from start to end.
    'command.vcpu-in-creation',
    // The first stage has met the signal, and holds every lock that could change what it has seen.
    'command.killed-again',
    'command.td-changed',
    // Bring-up refuses such a module.
    'capabilities.nothing-supported',
    // A vCPU needs the TD state that 'init-vm.done-already' refuses.
    'init-vm.vcpus-exist',
  ],
  bringUp: { limitBelowPresentCpus: 'no KVM', limitMissing: 'no TDX' },
  maxVcpus: {
    atCreateVm: ['KVM_MAX_VCPUS', 'present CPUs'],
    capabilityTakes: [],
    inInitVm: false,
    checkExtensionOfTd: ['kvm->max_vcpus'],
  },
  keyId: { takenAt: 'KVM_TDX_INIT_VM' },
  initVm: { doneWhen: 'state', struct: 'sized by nent' },
  memory: { attributesOf: 'the VM', pamt: 'static' },
  move: undefined,
  quirks: { unchargesFailedCharge: true },
};
