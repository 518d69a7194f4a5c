/**
 * Asks a kernel what it does, with VMs that live for a moment: no release tells it by a capability. Nothing
 * here takes a key slot, and each request is one that is refused, or that changes only the VM it is made of.
 */
import type { System, Vm } from '../../../native/index.ts';
import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import type { ErrnoName } from '../../abi/kvm/errno.ts';
import {
  KVM_IOAPIC_NUM_PINS,
  KVM_MAX_CPUID_ENTRIES,
  NO_FD,
  PAGE_SIZE,
} from '../../abi/kvm/structs.ts';
import { vmTypes } from '../../abi/kvm/vm-types.ts';
import type { KernelFacts } from '../kernel-facts.ts';
import { KvmError } from '../kvm-error.ts';
import { answered } from '../native/answers.ts';
import type { DevKvm } from '../native/dev-kvm.ts';
import { MappedMemory } from '../native/user-memory.ts';

/** @throws KvmError where a request is refused for a reason that tells nothing. */
export async function probeKernel(
  kvm: DevKvm,
  { presentCpus }: { readonly presentCpus: number },
): Promise<KernelFacts> {
  return withVm(kvm.system, async (vm) => {
    const maxVcpus = await answered(
      vm.kvmCheckExtension(capabilities.KVM_CAP_MAX_VCPUS),
      'KVM_CAP_MAX_VCPUS',
    );
    const hasMaxVcpusCap = await takes(enable(vm, 'KVM_CAP_MAX_VCPUS', 1n), {
      capability: 'KVM_CAP_MAX_VCPUS',
      refusals: ['EINVAL'],
    });
    const initVmStruct = await structOfInitVm(vm);
    const movesTds = await moves(vm);
    // Only a move needs these two, and the number of KVM_LINK_GUEST_MEMFD is another request's elsewhere.
    const vcpusBeforeInitVm = movesTds && (await makesVcpu(vm));
    const sharesGuestMemory = movesTds ? await sharing(kvm, vm) : 'no';
    const attributesOfFiles = await answered(
      vm.kvmCheckExtension(capabilities.KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES),
      'KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES',
    );
    // It kills the VM, so it comes last.
    const hasTerminateVm = await takes(vm.tdxTerminateVm(), { refusals: ['EINVAL'] });
    return {
      hasMaxVcpusCap,
      takesMaxVcpusInInitVm: initVmStruct === 'fixed size',
      // Where they do not, as under `tdctl exec`, the CPUs of the kernel that answers are others than those
      // that sysfs shows.
      presentCpusBind: maxVcpus === presentCpus,
      vcpusBeforeInitVm,
      initVmStruct,
      movesTds,
      sharesGuestMemory,
      memoryAttributesOf: attributesOfFiles === 0 ? 'the VM' : 'each guest_memfd',
      hasTerminateVm,
    };
  });
}

async function withVm<Value>(system: System, ask: (vm: Vm) => Promise<Value>): Promise<Value> {
  const vm = await answered(system.kvmCreateVm(vmTypes.KVM_X86_TDX_VM));
  try {
    return await ask(vm);
  } finally {
    await vm.close();
  }
}

function enable(vm: Vm, capability: CapabilityName, argument: bigint): Promise<void> {
  return vm.kvmEnableCap({ capability: capabilities[capability], args: [argument] });
}

interface Asked {
  readonly capability?: CapabilityName | undefined;
  /** The answers of a kernel that does not do it. */
  readonly refusals: readonly ErrnoName[];
}

async function takes(call: Promise<unknown>, asked: Asked): Promise<boolean> {
  return (await refusalOf(call, asked)) === undefined;
}

/** The errno, where it is one of those expected. */
async function refusalOf(
  call: Promise<unknown>,
  { capability, refusals }: Asked,
): Promise<string | undefined> {
  try {
    await answered(call, capability);
    return undefined;
  } catch (error) {
    const { code } = error instanceof KvmError ? error : { code: '' };
    if (refusals.some((expected) => expected === code)) return code;
    throw error;
  }
}

/**
 * A kernel that wants KVM_TDX_INIT_VM first answers EIO (tdx_vcpu_create()), or EINVAL where the number of
 * vCPUs is 0 until then, as in series v9.
 */
async function makesVcpu(vm: Vm): Promise<boolean> {
  const irqchip = 'KVM_CAP_SPLIT_IRQCHIP';
  await answered(enable(vm, irqchip, KVM_IOAPIC_NUM_PINS), irqchip);
  const made = vm.kvmCreateVcpu(0);
  if (!(await takes(made, { refusals: ['EIO', 'EINVAL'] }))) return false;
  await (await made).close();
  return true;
}

/**
 * More entries than any kernel takes are E2BIG before anything else is looked at. Where the struct has a
 * fixed size, their number lies in what must be 0, and is EINVAL.
 */
async function structOfInitVm(vm: Vm): Promise<KernelFacts['initVmStruct']> {
  const tooMany = Array.from({ length: 2 * KVM_MAX_CPUID_ENTRIES }, () => emptyEntry);
  const identity = new Uint8Array(48);
  const call = vm.tdxInitVm({
    attributes: 0n,
    xfam: 0n,
    mrConfigId: identity,
    mrOwner: identity,
    mrOwnerConfig: identity,
    cpuid: tooMany,
  });
  const refusal = await refusalOf(call, { refusals: ['E2BIG', 'EINVAL'] });
  return refusal === 'EINVAL' ? 'fixed size' : 'sized by nent';
}

const emptyEntry = { function: 0, index: 0, flags: 0, eax: 0, ebx: 0, ecx: 0, edx: 0 };

/** KVM_CHECK_EXTENSION is 1 on every Intel kernel. Only the code that moves TDs looks at the fd. */
async function moves(vm: Vm): Promise<boolean> {
  const capability = 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM';
  const refusals = ['EBADF', 'EINVAL'] as const;
  const call = enable(vm, capability, NO_FD);
  return (await refusalOf(call, { capability, refusals })) === 'EBADF';
}

/** A guest_memfd of one VM is offered to the other in both ways. */
async function sharing(kvm: DevKvm, vm: Vm): Promise<KernelFacts['sharesGuestMemory']> {
  const memfd = await answered(vm.kvmCreateGuestMemfd({ sizeBytes: PAGE_SIZE }));
  try {
    return await withVm(kvm.system, async (other) => {
      const linked = other.kvmLinkGuestMemfd(memfd);
      if (await takes(linked, { refusals: ['ENOTTY'] })) {
        await (await linked).close();
        return 'link';
      }
      const memory = await MappedMemory.map(kvm.addon, { sizeBytes: PAGE_SIZE });
      try {
        const bound = other.kvmSetUserMemoryRegion2({
          slot: 0,
          gpa: 0n,
          sizeBytes: PAGE_SIZE,
          memory: memory.native,
          guestMemfd: memfd,
        });
        return (await takes(bound, { refusals: ['EINVAL'] })) ? 'bind' : 'no';
      } finally {
        await memory.close();
      }
    });
  } finally {
    await memfd.close();
  }
}
