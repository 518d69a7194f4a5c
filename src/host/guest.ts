/**
 * A guest that runs, as every host gives it: the vCPUs of a VM inside KVM_RUN, and the few devices of
 * the builtin engine. Exits and their answers go by the fields of `struct kvm_run`.
 */
import type {
  GuestAnswer,
  GuestCounts,
  GuestExit,
  GuestTimes,
  GuestEnd as ThreadsEnd,
} from '../../native/index.ts';
import type { exitReasons } from '../abi/kvm/exits.ts';
import type { KvmError } from './kvm-error.ts';

export type { GuestAnswer, GuestCounts, GuestExit, GuestTimes };

/** Where what the guest sends goes. They are called one at a time, and must not throw. */
export interface GuestIo {
  /** What was sent on COM1. `lostBytes` came after `bytes` and were dropped: nobody had taken them in time. */
  console(bytes: Uint8Array, lostBytes: number): void;
  /** The same of the debug console, port 0x402. */
  debugConsole(bytes: Uint8Array, lostBytes: number): void;
  /**
   * An exit that is not answered by the devices; `vcpu` is its place among the vCPUs, and waits. Without
   * an answer it gets that of an absent device, and a memory fault ends the guest.
   */
  exit(vcpu: number, exit: GuestExit): Promise<GuestAnswer | undefined>;
  /** What went wrong in one of the above; the guest goes on as if there had been no answer. */
  failed(error: unknown): void;
}

/**
 * Why no vCPU runs any more; `vcpu` is the place of the one that ended the guest. All but two ends are as the
 * addon tells them.
 */
export type GuestEnd =
  | Exclude<ThreadsEnd, { readonly kind: 'unknown-exit' | 'run-failed' }>
  /** An exit that nothing here answers, by its name, or its number where that has no name. */
  | {
      readonly vcpu: number;
      readonly kind: 'unknown-exit';
      readonly exit: keyof typeof exitReasons | number;
    }
  /** KVM_RUN was refused to a vCPU that had run. */
  | { readonly vcpu: number; readonly kind: 'refused'; readonly error: KvmError }
  /** The host itself has ended, which only a shared one does before its guests. */
  | { readonly vcpu: number; readonly kind: 'host-gone'; readonly error: Error };

export type GuestEndReason = WithoutVcpu<GuestEnd>;
type WithoutVcpu<End> = End extends unknown ? Omit<End, 'vcpu'> : never;

/**
 * What makes up a guest besides its memory and the CPUID of its vCPUs: plain data, which structuredClone
 * copies. Its parts are for the host that gave it, and for another VM on a host of the same kind.
 */
export interface GuestState {
  readonly [part: string]: unknown;
}

export interface Guest {
  /**
   * KVM_RUN on every vCPU. Resolves once all of them are in, or the guest has ended.
   * @param letIn is called as soon as every vCPU has come to KVM_RUN, where that is known before it is known whether they
   * are in. This process stands still for that, for a moment at most: their threads have its CPU.
   * @throws KvmError where the kernel lets one of them not in; none is in then.
   */
  run(letIn?: () => void): Promise<void>;
  /**
   * Resolves once no vCPU is in KVM_RUN, with all of its I/O completed.
   * @param atRest is given the state for {@link takePacked} the moment that the vCPUs stand still, before anything else
   * is done, where that can be had at once.
   */
  pause(atRest?: (packed: Uint8Array) => void): Promise<void>;
  /** Resolves when the guest has ended by itself, and no vCPU is in KVM_RUN; it never rejects. */
  readonly ended: Promise<GuestEnd>;
  /** The same, once it has. */
  readonly end: GuestEnd | undefined;
  /** Input for COM1. Returns how many bytes were taken. */
  input(bytes: Uint8Array): number;
  counts(): GuestCounts;
  /** When its vCPUs were last paused and entered; empty where that takes no real time. */
  times(): GuestTimes;
  /** What is to be carried to another VM while the guest is paused. */
  getState(): Promise<GuestState>;
  /** Takes over the state of a guest on the same memory, before it has run here. */
  setState(state: GuestState): Promise<void>;
  /**
   * As {@link setState}, at once. Undefined on a host whose guests do not give their state so.
   * @throws KvmError where the kernel refuses it.
   */
  readonly takePacked?: ((packed: Uint8Array) => void) | undefined;
  /** Ends its threads. The vCPUs are whoever's again. It may be called again. */
  close(): Promise<void>;
}
