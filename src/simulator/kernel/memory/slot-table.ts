import { type Range, RangeMap } from '../../range-map.ts';
import type { MemorySlot } from '../objects.ts';

/**
 * The slots of a VM, `struct kvm_memslots`: by number, and by guest page in each address space. A slot is
 * bound to the guest_memfd behind it for as long as it is here.
 */
export class SlotTable {
  readonly #byNumber = new Map<number, MemorySlot>();
  readonly #byPage = [new RangeMap<MemorySlot>(), new RangeMap<MemorySlot>()] as const;

  /** Gives the slot of a number that has the address space in its upper half, as user space says it. */
  get(number: number): MemorySlot | undefined {
    return this.#byNumber.get(number);
  }

  /** Puts a slot in the place of the one with its number. */
  set(slot: MemorySlot): void {
    this.delete(slot);
    this.#byNumber.set(numberOf(slot), slot);
    this.#pagesOf(slot).add(pagesOf(slot), slot);
    slot.guestMemfd?.memfd.bindings.add(slot);
  }

  delete(slot: MemorySlot): void {
    const old = this.#byNumber.get(numberOf(slot));
    if (old === undefined) return;
    this.#byNumber.delete(numberOf(slot));
    this.#pagesOf(old).removeAt(old.baseGfn);
    old.guestMemfd?.memfd.bindings.delete(old);
  }

  /** Gives the slot of address space 0 that holds a guest page. */
  at(gfn: number): MemorySlot | undefined {
    return this.#byPage[0].at(gfn);
  }

  /** Gives the slots of an address space that have some of these guest pages. */
  meeting(addressSpace: number, pages: Range): Iterable<MemorySlot> {
    return this.#pagesOf({ addressSpace }).meeting(pages);
  }

  /** Gives the slots of address space 0 by guest page. */
  inOrder(): readonly MemorySlot[] {
    return [...this.#byPage[0].values()];
  }

  clear(): void {
    for (const slot of [...this.#byNumber.values()]) this.delete(slot);
  }

  #pagesOf({ addressSpace }: { readonly addressSpace: number }): RangeMap<MemorySlot> {
    return addressSpace === 0 ? this.#byPage[0] : this.#byPage[1];
  }
}

export function pagesOf({ baseGfn, pages }: MemorySlot): Range {
  return { start: baseGfn, end: baseGfn + pages };
}

function numberOf({ addressSpace, id }: MemorySlot): number {
  return (addressSpace << 16) | id;
}
