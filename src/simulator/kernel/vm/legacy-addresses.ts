/**
 * Real mode and shadow paging need KVM_SET_TSS_ADDR, KVM_SET_IDENTITY_MAP_ADDR and
 * KVM_SET_NR_MMU_PAGES. With unrestricted guests and EPT none of them has an effect.
 */
import type { Answer, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import type { Vm } from '../objects.ts';

/** The TSS takes three pages, which must lie below 4 GiB. */
const highestTss = 0x1_0000_0000n - 3n * 4096n;
const KVM_MIN_ALLOC_MMU_PAGES = 64n;

export function setTssAddr(addr: bigint): Answer {
  return addr > highestTss ? refuse('set-tss-addr.range') : done;
}

export function setIdentityMapAddr(vm: Vm, user: UserStruct<bigint>): Answer {
  if (vm.vcpus.length > 0) return refuse('set-identity-map-addr.too-late');
  return user.read() === undefined ? refuse('argument.unreadable') : done;
}

export function setNrMmuPages(pages: bigint): Answer {
  return pages < KVM_MIN_ALLOC_MMU_PAGES ? refuse('set-nr-mmu-pages.range') : done;
}
