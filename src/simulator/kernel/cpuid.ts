/** KVM_GET_SUPPORTED_CPUID and KVM_SET_CPUID2. Order: arch/x86/kvm/cpuid.c and x86.c. */
import { KVM_MAX_CPUID_ENTRIES } from '../../abi/kvm/structs.ts';
import type { Answer, UserCpuid } from '../interface.ts';
import { done, refuse } from './answer.ts';
import { faultAt, type Kernel } from './kernel.ts';
import type { Vcpu } from './vcpu.ts';

/** Physical address bits of a guest whose CPUID does not say. */
const defaultPhysicalBits = 36;

export function getSupportedCpuid(kernel: Kernel, user: UserCpuid): Answer {
  const header = user.readHeader();
  if (header === undefined) return refuse('EFAULT');
  if (header.nent < 1) return refuse('E2BIG');
  const fault = faultAt(kernel, 'KVM_GET_SUPPORTED_CPUID: allocate');
  if (fault !== undefined) return fault;
  const entries = kernel.profile.platform.cpuid;
  // The needed count is not returned: a caller tries a larger buffer.
  if (entries.length > Math.min(header.nent, KVM_MAX_CPUID_ENTRIES)) return refuse('E2BIG');
  if (!user.writeEntries(entries)) return refuse('EFAULT');
  if (!user.writeHeader({ nent: entries.length, padding: header.padding })) {
    return refuse('EFAULT');
  }
  return done;
}

export function setCpuid2(kernel: Kernel, vcpu: Vcpu, user: UserCpuid): Answer {
  const header = user.readHeader();
  if (header === undefined) return refuse('EFAULT');
  if (header.nent > KVM_MAX_CPUID_ENTRIES) return refuse('E2BIG');
  const fault = faultAt(kernel, 'KVM_SET_CPUID2: allocate');
  if (fault !== undefined) return fault;
  const entries = user.readEntries(header.nent);
  if (entries === undefined) return refuse('EFAULT');
  const addresses = entries.find((entry) => entry.function === 0x8000_0008);
  if (addresses !== undefined) {
    const virtualBits = (addresses.eax >>> 8) & 0xff;
    if (virtualBits !== 0 && virtualBits !== 48 && virtualBits !== 57) return refuse('EINVAL');
  }
  vcpu.cpuid = entries;
  return done;
}

/** Whether the address fits the guest's own physical address width. */
export function isLegalGpa({ cpuid }: Vcpu, gpa: bigint): boolean {
  const highest = cpuid.find((entry) => entry.function === 0x8000_0000);
  const addresses = cpuid.find((entry) => entry.function === 0x8000_0008);
  const says = highest !== undefined && highest.eax >= 0x8000_0008 && addresses !== undefined;
  return gpa >> BigInt(says ? addresses.eax & 0xff : defaultPhysicalBits) === 0n;
}
