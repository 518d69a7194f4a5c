/** KVM_CREATE_VM and KVM_CREATE_VCPU. */
import { checksIn, EEXIST, EINVAL, EIO, ENOMEM, refusing } from './check.ts';
import { noMemory, resourceChecks, vmChecks } from './common.ts';

const kvmMain = 'virt/kvm/kvm_main.c';

export const createVmChecks = {
  'process.no-descriptor': resourceChecks['process.no-descriptor'],
  ...noMemory,
  ...checksIn('arch/x86/kvm/x86.c, kvm_arch_init_vm()', {
    'create-vm.type': EINVAL(
      'the type is not among those of KVM_CAP_VM_TYPES',
      'see `tdctl doctor` for what keeps this host from VMs of the type KVM_X86_TDX_VM',
    ),
  }),
};

const leaves = 'the limit of vCPU ids is fixed from then on';

export const createVcpuChecks = {
  ...vmChecks,
  ...checksIn(`${kvmMain}, kvm_vm_ioctl_create_vcpu()`, {
    'create-vcpu.id-range': EINVAL(
      'the id is not below KVM_MAX_VCPU_IDS',
      'number vCPUs below what KVM_CAP_MAX_VCPU_ID says',
    ),
    'create-vcpu.limit': EINVAL(
      'the VM has as many vCPUs as KVM_CAP_MAX_VCPUS on it says',
      'ask for fewer vCPUs; `tdctl host` shows the limits',
    ),
    'create-vcpu.id-taken': EEXIST(
      'the VM has a vCPU with this id',
      'give each vCPU an id of its own',
    ),
    'create-vcpu.id-limit': EINVAL(
      'the id is not below what KVM_CAP_MAX_VCPU_ID was set to',
      'set KVM_CAP_MAX_VCPU_ID above every id, before the first vCPU',
      { leaves, source: 'arch/x86/kvm/x86.c, kvm_arch_vcpu_precreate()' },
    ),
    'create-vcpu.no-memory': ENOMEM(
      'there is no memory for the vCPU',
      'free memory, or raise the limit of the memory cgroup',
      { leaves },
    ),
    'create-vcpu.td-state': EIO(
      'the TD is not initialised yet, or is finalised already',
      'create every vCPU between KVM_TDX_INIT_VM and KVM_TDX_FINALIZE_VM',
      { leaves, source: 'arch/x86/kvm/vmx/tdx.c, tdx_vcpu_create()' },
    ),
    'create-vcpu.irqchip': EINVAL(
      'the irqchip of the TD is not split',
      'enable KVM_CAP_SPLIT_IRQCHIP before the first vCPU',
      { leaves, source: 'arch/x86/kvm/vmx/tdx.c, tdx_vcpu_create()' },
    ),
    'create-vcpu.no-descriptor': refusing(['EMFILE', 'ENFILE', 'ENOMEM'])(
      'the process has no descriptor left, or the system no file',
      'raise `ulimit -n` (LimitNOFILE= of a service), or fs.file-max for the system',
      { leaves },
    ),
  }),
};

export const otherCreateVcpuChecks = checksIn('seed thread of October 2022 on [PATCH v9 016/105]', {
  'create-vcpu.td-finalised': EIO(
    'the TD is finalised already',
    'create every vCPU before KVM_TDX_FINALIZE_VM, and take spare ones offline inside the guest',
    { leaves },
  ),
});
