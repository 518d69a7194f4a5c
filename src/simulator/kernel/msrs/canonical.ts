import { kvmHas } from '../vcpu/guest-cpu-caps.ts';
import type { MsrAccess } from './rule.ts';

/**
 * An address in an MSR may have as many bits as any guest of the host can have, whatever paging mode this one
 * is in: max_host_virt_addr_bits().
 */
function addressBits({ kernel }: MsrAccess): number {
  return kvmHas(kernel, 'LA57') ? 57 : 48;
}

export function isCanonicalForMsr(data: bigint, access: MsrAccess): boolean {
  return canonical(data, access) === data;
}

/** The address with its upper bits as the highest that counts. */
export function canonical(data: bigint, access: MsrAccess): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(addressBits(access), data));
}
