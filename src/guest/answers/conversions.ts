/**
 * Converts guest memory between private and shared, as KVM and its user space do it together: KVM is told
 * what the range is, and then what the guest has left behind is given back to the host.
 */
import { KvmError } from '../../host/kvm-error.ts';
import type { AnswerParts, GuestMemoryKind, GuestRange, GuestSlot } from './parts.ts';

const pageBytes = 4096n;
const addressSpaceEnd = 1n << 64n;

/** `no memory`: part of what was to become private is in no slot. `no range`: nothing can be meant by it. */
export type Converted = 'done' | 'no memory' | 'no range';

interface Part {
  readonly slot: GuestSlot;
  readonly range: GuestRange;
}

export class Conversions {
  readonly #parts: AnswerParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /**
   * One at a time: a range that one vCPU shares while another takes it back would else lose what the second
   * has written there already.
   * @throws KvmError where KVM does not take it. Parts of the range may have been converted then.
   */
  convert(range: GuestRange, kind: GuestMemoryKind): Promise<Converted> {
    const conversion = this.#last.then(() => this.#convert(range, kind));
    this.#last = conversion.catch(() => undefined);
    return conversion;
  }

  async #convert(range: GuestRange, kind: GuestMemoryKind): Promise<Converted> {
    if (!isRange(range)) return 'no range';
    const parts = partsOf(range, this.#parts.slots);
    const found = parts.reduce((sum, part) => sum + part.range.sizeBytes, 0n);
    // Firmware shares what it takes for the memory of devices, which is in no slot and so is shared already.
    if (kind === 'private' && found < range.sizeBytes) return 'no memory';
    for (const { slot, range: part } of parts) {
      await this.#parts.setKind(slot, part, kind);
      await this.#giveBack(slot, part, kind);
    }
    return 'done';
  }

  /** The guest has its memory in either case; what is not given back is only held twice. */
  async #giveBack(slot: GuestSlot, range: GuestRange, kind: GuestMemoryKind): Promise<void> {
    const hole = { offsetBytes: range.gpa - slot.gpa, sizeBytes: range.sizeBytes };
    const old = kind === 'shared' ? 'private' : 'shared';
    try {
      await (kind === 'shared' ? slot.guestMemory.punchHole(hole) : slot.memory.discard(hole));
    } catch (error) {
      if (!(error instanceof KvmError)) throw error;
      this.#parts.warn(
        `the ${old} pages behind ${rangeInWords(range)} were not given back (${error.code}): the host holds that memory twice until the TD ends`,
      );
    }
  }
}

function isRange({ gpa, sizeBytes }: GuestRange): boolean {
  const isAligned = gpa % pageBytes === 0n && sizeBytes % pageBytes === 0n;
  return isAligned && gpa >= 0n && sizeBytes > 0n && gpa + sizeBytes <= addressSpaceEnd;
}

/** What of the range lies in which slot. */
function partsOf({ gpa, sizeBytes }: GuestRange, slots: readonly GuestSlot[]): Part[] {
  const end = gpa + sizeBytes;
  return slots.flatMap((slot) => {
    const from = gpa > slot.gpa ? gpa : slot.gpa;
    const slotEnd = slot.gpa + slot.sizeBytes;
    const to = end < slotEnd ? end : slotEnd;
    return from < to ? [{ slot, range: { gpa: from, sizeBytes: to - from } }] : [];
  });
}

export function rangeInWords({ gpa, sizeBytes }: GuestRange): string {
  return `0x${gpa.toString(16)} to 0x${(gpa + sizeBytes - 1n).toString(16)}`;
}
