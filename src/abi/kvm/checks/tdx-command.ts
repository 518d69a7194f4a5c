/** What every command of KVM_MEMORY_ENCRYPT_OP goes through before the command itself is looked at. */
import { checksIn, EBUSY, EFAULT, EINTR, EINVAL, ENOTTY } from './check.ts';
import { vmChecks } from './common.ts';

const tdx = 'arch/x86/kvm/vmx/tdx.c';

const command = checksIn(`${tdx}, tdx_get_cmd()`, {
  'command.unreadable': EFAULT(
    'struct kvm_tdx_cmd is unreadable',
    'pass the address of a struct kvm_tdx_cmd (24 bytes)',
  ),
  'command.hw-error': EINVAL(
    'hw_error of the command is not 0 on the way in',
    'clear the whole command before it is filled',
  ),
});

const locks = checksIn(`${tdx}, tdx_acquire_vm_state_locks()`, {
  'command.vcpu-in-creation': EBUSY('a vCPU is being created', 'repeat the request'),
  'command.killed': EINTR(
    'a fatal signal came while the vCPUs were locked',
    'repeat the request; keep every vCPU out of KVM_RUN meanwhile',
  ),
});

const unknown = checksIn(`${tdx}, tdx_vm_ioctl() and tdx_vcpu_ioctl()`, {
  'command.unknown': EINVAL(
    'this kernel has no such command on this file',
    'leave it out on this kernel, or ask the file that has it: the VM or a vCPU',
  ),
});

/** A command on a VM that takes no lock. */
export const vmCommandChecks = {
  ...vmChecks,
  ...checksIn('arch/x86/kvm/vmx/main.c, vt_mem_enc_ioctl()', {
    'command.vm-no-td': ENOTTY(
      'the VM is no TD, or KVM has no TDX',
      'create the VM with the type KVM_X86_TDX_VM, on a host where KVM_CAP_VM_TYPES has it',
    ),
  }),
  ...command,
};

export const lockedVmCommandChecks = { ...vmCommandChecks, ...locks };

/** Linux 7.3 takes them before vcpu->mutex: `vcpu.busy` is none of theirs. */
export const vcpuCommandChecks = {
  ...vmChecks,
  ...checksIn(
    'arch/x86/kvm/x86.c, kvm_arch_vcpu_unlocked_ioctl() and vmx/main.c, vt_vcpu_mem_enc_unlocked_ioctl()',
    {
      'command.no-tdx': ENOTTY(
        'KVM has no TDX',
        'see `tdctl doctor` for what keeps this host from it',
      ),
      'command.vcpu-no-td': EINVAL(
        'the vCPU is none of a TD',
        'create the VM with the type KVM_X86_TDX_VM',
      ),
    },
  ),
  ...command,
  ...locks,
  ...checksIn(`${tdx}, tdx_vcpu_unlocked_ioctl()`, {
    'command.td-not-in-building': EINVAL(
      'the TD has no key slot (KVM_TDX_INIT_VM has not been done), or it is finalised already',
      'keep the order INIT_VM, CREATE_VCPU, SET_CPUID2, INIT_VCPU, INIT_MEM_REGION, FINALIZE_VM',
    ),
  }),
};

/**
 * The second stage of a command on a vCPU, under vcpu->mutex: Linux 7.3 looks at everything again for
 * those that its first stage does not handle.
 */
export const secondStageChecks = checksIn(`${tdx}, tdx_vcpu_ioctl()`, {
  'command.killed-again': EINTR(
    'a fatal signal came while the request waited for the vCPU',
    'repeat the request',
    { source: 'virt/kvm/kvm_main.c, kvm_vcpu_ioctl()' },
  ),
  'command.td-changed': EINVAL(
    'the TD was finalised or lost its key slot meanwhile',
    'let one thread build the TD',
  ),
  'command.unreadable-again': EFAULT(
    'struct kvm_tdx_cmd is unreadable the second time',
    'leave the command alone until the request has answered',
  ),
  'command.hw-error-again': EINVAL(
    'hw_error of the command is not 0 the second time',
    'leave the command alone until the request has answered',
  ),
});

export const unknownVmCommandChecks = { ...lockedVmCommandChecks, ...unknown };
export const unknownVcpuCommandChecks = { ...vcpuCommandChecks, ...secondStageChecks, ...unknown };

/** Commands whose struct goes back to user space with hw_error, however they ended. */
export const writtenBackChecks = checksIn(`${tdx}, tdx_vm_ioctl()`, {
  'command.unwritable': EFAULT(
    'struct kvm_tdx_cmd cannot be written back',
    'pass the command in memory that the process may write',
    { leaves: 'whatever the command did, also a TD that is initialised or finalised' },
  ),
});
