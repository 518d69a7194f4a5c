/** The messages of the protocol, each way. */
import type { GuestEnd } from '../../guest.ts';

/** What the host itself is called by in requests; every other object gets its number when it is made. */
export const hostToken = 0;

/** One request of the port. The answer has the same number. */
export interface Call {
  readonly call: number;
  readonly on: number;
  readonly method: string;
  readonly arg: unknown;
}

/** Pages of the caller's memory that the host has not seen, for the calls that come after. */
export interface WrittenPages {
  readonly write: number;
  readonly pages: readonly number[];
  readonly bytes: Uint8Array;
}

export type ToHost =
  | Call
  /** The `signal` of a call has aborted. */
  | { readonly cancel: number }
  /** Nobody here can name these objects any more. What they have open stays so. */
  | { readonly forget: readonly number[] }
  | WrittenPages
  | { readonly ping: number };

/** `nowNs` is the machine's time at that moment. */
export type FromHost =
  | { readonly answer: number; readonly nowNs: number; readonly value: unknown }
  | { readonly answer: number; readonly nowNs: number; readonly error: Error }
  /** Of a call that is not over: pages done, or whatever it tells. */
  | { readonly told: number; readonly nowNs: number; readonly value: unknown }
  | { readonly ended: number; readonly nowNs: number; readonly end: GuestEnd }
  | { readonly pong: number }
  /** The host ends, or ends this connection. Nothing comes after it. */
  | { readonly bye: string };

/** Kinds of objects, and what tells of each. */
export interface ObjectFacts {
  readonly vm: Record<never, never>;
  readonly vcpu: { readonly id: number };
  readonly guestMemory: { readonly sizeBytes: bigint };
  readonly memory: { readonly address: bigint; readonly sizeBytes: bigint };
  readonly guest: Record<never, never>;
}

export type ObjectKind = keyof ObjectFacts;
export const pageBytes = 4096;
/** So many pages of memory go in one message. */
export const pagesAtOnce = 128;
