import { KVM_MEM_READONLY, PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type { Vm } from '../objects.ts';

/**
 * kvm_gfn_to_hva_cache_init(): whether memory slots that can be written hold all of a range. An address
 * that wraps has none.
 */
export function hasGuestMemory({ slots }: Vm, gpa: bigint, bytes: bigint): boolean {
  const last = gpa + bytes - 1n;
  if (gpa < 0n || last >> 64n !== 0n) return false;
  for (let gfn = gpa / PAGE_SIZE; gfn <= last / PAGE_SIZE; gfn++) {
    const slot = slots.at(Number(gfn));
    if (slot === undefined || (slot.flags & KVM_MEM_READONLY) !== 0) return false;
  }
  return true;
}
