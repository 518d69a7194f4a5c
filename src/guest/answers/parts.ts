/** What the answers to a TD's exits are made with. They are given by whoever made the guest. */
import type { GuestMemory, UserMemory } from '../../host/port.ts';

/** A slot of guest memory. Both backings begin with its first byte. */
export interface GuestSlot {
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
  /** Of what the guest shares with the host. */
  readonly memory: UserMemory;
  /** Of what is private. */
  readonly guestMemory: GuestMemory;
}

export interface GuestRange {
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
}

export type GuestMemoryKind = 'private' | 'shared';

export interface AnswerParts {
  readonly slots: readonly GuestSlot[];
  /** Tells KVM what a range inside one slot is from now on. */
  setKind(slot: GuestSlot, range: GuestRange, kind: GuestMemoryKind): Promise<void>;
  /** Where quotes come from; undefined where the host has no such service for this TD. */
  readonly quotes: QuoteService | undefined;
  /** Delivers an interrupt of that vector to the APIC of that id. */
  interrupt(apicId: number, vector: number): Promise<void>;
  /** The APIC id of a vCPU by its place. */
  apicIdOf(vcpu: number): number;
  /** Tells of what went wrong and does not end the guest. */
  warn(message: string): void;
}

export interface QuoteService {
  /** As a person knows it. */
  readonly name: string;
  /**
   * Sends the message, and gives the answer to it.
   * @throws QuoteServiceError
   */
  ask(message: Uint8Array, options: AskOptions): Promise<Uint8Array>;
}

export interface AskOptions {
  readonly signal: AbortSignal;
  /** A longer answer is none. */
  readonly mostBytes: number;
}

export class QuoteServiceError extends Error {
  /** Nobody listens there, or the service did not do its part. */
  readonly kind: 'unavailable' | 'failed';

  constructor(kind: QuoteServiceError['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'QuoteServiceError';
    this.kind = kind;
  }
}
