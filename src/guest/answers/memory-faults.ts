/**
 * KVM_EXIT_MEMORY_FAULT: the guest touches memory as private that KVM has as shared, or the other way round.
 * It is given what it wants and tries again, until that is seen to change nothing.
 */
import { KVM_MEMORY_EXIT_FLAG_PRIVATE } from '../../abi/kvm/exits.ts';
import { KvmError } from '../../host/kvm-error.ts';
import { type Conversions, rangeInWords } from './conversions.ts';
import type { GuestMemoryKind, GuestRange } from './parts.ts';

/**
 * Two vCPUs may meet the same fault at once, and KVM may have lost what it was told (a move under RFC v2 does
 * that), so a second fault tells nothing yet.
 */
const mostTries = 8;

export interface MemoryFault {
  readonly flags: bigint;
  readonly range: GuestRange;
}

interface Tried {
  readonly range: GuestRange;
  readonly kind: GuestMemoryKind;
  times: number;
}

export class MemoryFaults {
  readonly #conversions: Conversions;
  readonly #tried = new Map<number, Tried>();
  /** Why the last vCPU that was refused may not try again. */
  refusal: string | undefined;

  constructor(conversions: Conversions) {
    this.#conversions = conversions;
  }

  /** The vCPU got further by itself, so that its next fault is another one. */
  progressed(vcpu: number): void {
    this.#tried.delete(vcpu);
  }

  /** Tells whether the vCPU may try again. Where it may not, `refusal` says why, and the guest ends. */
  async answer(vcpu: number, { flags, range }: MemoryFault): Promise<boolean> {
    const isPrivate = (flags & KVM_MEMORY_EXIT_FLAG_PRIVATE) !== 0n;
    const kind = isPrivate ? 'private' : 'shared';
    const touched = `vCPU ${vcpu} touched ${rangeInWords(range)} as ${kind} memory`;
    if ((flags & ~KVM_MEMORY_EXIT_FLAG_PRIVATE) !== 0n) {
      return this.#refuse(
        `${touched}, and KVM says more of it than is known here: flags 0x${flags.toString(16)}`,
      );
    }
    const times = this.#try(vcpu, range, kind);
    if (times > mostTries) {
      return this.#refuse(
        `${touched} ${times} times in a row, and converting it changes nothing: KVM cannot map it for another reason`,
      );
    }
    try {
      switch (await this.#conversions.convert(range, kind)) {
        case 'done':
          this.#forgetOpposites(range, kind);
          return true;
        case 'no memory':
          return this.#refuse(`${touched}, which is not all in the TD's memory slots`);
        case 'no range':
          return this.#refuse(`${touched}, which is no range of pages`);
      }
    } catch (error) {
      if (!(error instanceof KvmError)) throw error;
      return this.#refuse(`${touched}, and it could not be converted: ${error.message}`);
    }
  }

  #refuse(why: string): false {
    this.refusal = why;
    return false;
  }

  #try(vcpu: number, range: GuestRange, kind: GuestMemoryKind): number {
    const before = this.#tried.get(vcpu);
    if (before !== undefined && before.kind === kind && isSame(before.range, range)) {
      before.times += 1;
      return before.times;
    }
    this.#tried.set(vcpu, { range, kind, times: 1 });
    return 1;
  }

  /** For a vCPU that had it the other way, the next conversion changes something again. */
  #forgetOpposites(range: GuestRange, kind: GuestMemoryKind): void {
    for (const [vcpu, tried] of this.#tried) {
      if (tried.kind !== kind && overlaps(tried.range, range)) this.#tried.delete(vcpu);
    }
  }
}

function isSame(one: GuestRange, other: GuestRange): boolean {
  return one.gpa === other.gpa && one.sizeBytes === other.sizeBytes;
}

function overlaps(one: GuestRange, other: GuestRange): boolean {
  return one.gpa < other.gpa + other.sizeBytes && other.gpa < one.gpa + one.sizeBytes;
}
