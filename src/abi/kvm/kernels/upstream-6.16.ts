import type { CheckOrder } from '../checks/index.ts';
import { bindingAtOnce, replaced, without } from './orders.ts';
import type { KernelAbi } from './record.ts';
import { upstream73 } from './upstream-7.3.ts';

const { checks } = upstream73;

/** Only kvm->lock is taken, which nothing interrupts. */
const vmCommand = (order: CheckOrder) =>
  without(order, 'command.vcpu-in-creation', 'command.killed');

/**
 * One stage under vcpu->mutex, which kvm_vcpu_ioctl() takes first. The locks and the state of the TD come
 * before the command is read.
 */
function vcpuCommand(order: CheckOrder): CheckOrder {
  const once = without(
    order,
    'command.vcpu-in-creation',
    'command.killed',
    'command.td-not-in-building',
  );
  const busy = replaced(once, 'command.no-tdx', 'vcpu.busy', 'command.no-tdx');
  return replaced(
    busy,
    'command.unreadable',
    'command.killed',
    'command.td-not-in-building',
    'command.unreadable',
  );
}

const secondStage = [
  'command.killed-again',
  'command.td-changed',
  'command.unreadable-again',
  'command.hw-error-again',
] as const;

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
  checks: {
    ...checks,
    KVM_MEMORY_ENCRYPT_OP: vmCommand(checks.KVM_MEMORY_ENCRYPT_OP),
    KVM_TDX_TERMINATE_VM: vmCommand(checks.KVM_TDX_TERMINATE_VM),
    KVM_TDX_CAPABILITIES: [
      ...replaced(
        without(checks.KVM_TDX_CAPABILITIES, 'capabilities.no-memory'),
        'capabilities.nent-unreadable',
        'capabilities.no-memory',
        'capabilities.nent-unreadable',
      ),
      'command.unwritable',
    ],
    KVM_TDX_INIT_VM: replaced(
      vmCommand(checks.KVM_TDX_INIT_VM),
      'init-vm.create-refused',
      'init-vm.create-refused-alive',
    ),
    KVM_TDX_FINALIZE_VM: replaced(
      vmCommand(checks.KVM_TDX_FINALIZE_VM),
      'finalize-vm.wrong-order',
      'finalize-vm.wrong-order',
      'finalize-vm.pages-not-added',
    ),
    KVM_SET_USER_MEMORY_REGION2: bindingAtOnce(checks.KVM_SET_USER_MEMORY_REGION2),
    KVM_CREATE_VCPU: replaced(
      without(checks.KVM_CREATE_VCPU, 'create-vcpu.id-taken'),
      'create-vcpu.no-descriptor',
      'create-vcpu.id-taken',
      'create-vcpu.no-descriptor',
    ),
    'KVM_MEMORY_ENCRYPT_OP on a vCPU': without(
      vcpuCommand(checks['KVM_MEMORY_ENCRYPT_OP on a vCPU']),
      ...secondStage,
    ),
    KVM_TDX_INIT_VCPU: vcpuCommand(checks.KVM_TDX_INIT_VCPU),
    KVM_TDX_INIT_MEM_REGION: replaced(
      without(vcpuCommand(checks.KVM_TDX_INIT_MEM_REGION), 'init-mem-region.source-zero'),
      'init-mem-region.no-table',
      'init-mem-region.no-table',
      'init-mem-region.busy',
    ),
    // Any answer but 0 tells the guest INVALID_OPERAND.
    KVM_RUN: without(checks.KVM_RUN, 'run.map-gpa-answer'),
    KVM_TDX_GET_CPUID: without(vcpuCommand(checks.KVM_TDX_GET_CPUID), ...secondStage),
  },
  bringUp: { ...upstream73.bringUp, limitMissing: 'counts as 0xffff' },
};
