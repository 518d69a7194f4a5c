import type { ErrnoName } from '../../../src/abi/kvm/errno.ts';
import { makesCheck } from '../../../src/abi/kvm/kernels/record.ts';
import { type KernelAbi, type KernelAbiName, kernelAbis } from '../../../src/simulator/index.ts';

/** Every kernel ABI, or those that a rule is about. */
export function abisWhere(
  applies: (abi: KernelAbi) => boolean = () => true,
): readonly KernelAbiName[] {
  return (Object.keys(kernelAbis) as KernelAbiName[]).filter((name) => applies(kernelAbis[name]));
}

/** KVM_CREATE_VCPU is EIO once the TD is finalised. */
export function refusesFinalised(abi: KernelAbi): boolean {
  return (['create-vcpu.td-state', 'create-vcpu.td-finalised'] as const).some((check) =>
    makesCheck(abi, 'KVM_CREATE_VCPU', check),
  );
}

/** What the ioctl that takes a key ID answers when there is none. */
export function poolEmpty({ keyId }: KernelAbi): ErrnoName {
  return keyId.takenAt === 'KVM_CREATE_VM' ? 'EBUSY' : 'ENOSPC';
}
