import { type Range, RangeMap } from '../../range-map.ts';

/** What the table must know of a slot; objects.ts has all of it. */
interface PlacedSlot<Slot> {
  readonly id: number;
  readonly addressSpace: number;
  readonly baseGfn: number;
  readonly pages: number;
  readonly guestMemfd: { readonly memfd: { readonly bindings: Set<Slot> } } | undefined;
}

/**
 * The slots of a VM, `struct kvm_memslots`: by number, and by guest page in each address space. A slot is
 * bound to the guest_memfd behind it for as long as it is here.
 */
export class SlotTable<Slot extends PlacedSlot<Slot>> {
  readonly #byNumber = new Map<number, Slot>();
  readonly #byPage = [new RangeMap<Slot>(), new RangeMap<Slot>()] as const;

  /** Gives the slot of a number that has the address space in its upper half, as user space says it. */
  get(number: number): Slot | undefined {
    return this.#byNumber.get(number);
  }

  /** Puts a slot in the place of the one with its number. */
  set(slot: Slot): void {
    this.delete(slot);
    this.#byNumber.set(numberOf(slot), slot);
    this.#pagesOf(slot).add(pagesOf(slot), slot);
    slot.guestMemfd?.memfd.bindings.add(slot);
  }

  delete(slot: Slot): void {
    const old = this.#byNumber.get(numberOf(slot));
    if (old === undefined) return;
    this.#byNumber.delete(numberOf(slot));
    this.#pagesOf(old).removeAt(old.baseGfn);
    old.guestMemfd?.memfd.bindings.delete(old);
  }

  /** Gives the slot of address space 0 that holds a guest page. */
  at(gfn: number): Slot | undefined {
    return this.#byPage[0].at(gfn);
  }

  /** Gives the slots of an address space that have some of these guest pages. */
  meeting(addressSpace: number, pages: Range): Iterable<Slot> {
    return this.#pagesOf({ addressSpace }).meeting(pages);
  }

  /** Gives the slots of address space 0 by guest page. */
  inOrder(): readonly Slot[] {
    return [...this.#byPage[0].values()];
  }

  clear(): void {
    for (const slot of [...this.#byNumber.values()]) this.delete(slot);
  }

  #pagesOf({ addressSpace }: { readonly addressSpace: number }): RangeMap<Slot> {
    return addressSpace === 0 ? this.#byPage[0] : this.#byPage[1];
  }
}

export function pagesOf({
  baseGfn,
  pages,
}: {
  readonly baseGfn: number;
  readonly pages: number;
}): Range {
  return { start: baseGfn, end: baseGfn + pages };
}

function numberOf({
  addressSpace,
  id,
}: {
  readonly addressSpace: number;
  readonly id: number;
}): number {
  return (addressSpace << 16) | id;
}
