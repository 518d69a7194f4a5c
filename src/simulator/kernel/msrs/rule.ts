/**
 * A rule tells what KVM makes of an MSR when user space reads or writes it (host_initiated in the
 * kernel): whether it is there, what it holds, what it takes and what it keeps.
 */
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';

export interface MsrAccess {
  readonly kernel: Kernel;
  readonly vcpu: Vcpu;
  readonly index: number;
}

/**
 * An MSR that is `unsupported` (KVM_MSR_RET_UNSUPPORTED) reads as 0 and takes 0 where it is listed. One that
 * is `refused` ends the call whether it is listed or not.
 */
export type Presence = 'there' | 'refused' | 'unsupported';
/** Where it is absent, every guest has the MSR. */
export type PresenceRule = (access: MsrAccess, to: 'read' | 'write') => Presence;

export interface MsrRule {
  readonly presence?: PresenceRule;
  /** First value, which is 0 where it is absent. */
  readonly reset?: bigint | ((access: MsrAccess) => bigint);
  /** Value that is read, where it is another than what is kept. */
  readonly read?: (access: MsrAccess) => bigint;
  /** Tells which values the MSR takes. Where it is absent, the MSR takes any. */
  readonly accepts?: (data: bigint, access: MsrAccess) => boolean;
  /** What is kept of a value that is taken; undefined keeps what was there. Where it is absent, all of it. */
  readonly keeps?: (data: bigint, access: MsrAccess) => bigint | undefined;
  /** Some MSRs are one for the whole VM. */
  readonly keptBy?: 'vm';
  /** Two MSRs can be two names of one value; it is kept under this one. */
  readonly keptAs?: (index: number) => number;
  /** What a write that was taken does besides. */
  readonly written?: (data: bigint, access: MsrAccess) => void;
}

export interface RangeRule extends MsrRule {
  readonly first: number;
  readonly last?: number;
}

/** KVM answers with the value, and the write is no write: dropped, or of an MSR that it does not know. */
export function constant(value: bigint, writes: 'dropped' | 'unsupported'): MsrRule {
  return {
    presence: (_, to) => (to === 'write' && writes === 'unsupported' ? 'unsupported' : 'there'),
    read: () => value,
    keeps: () => undefined,
  };
}

export const writeOnly: PresenceRule = (_, to) => (to === 'read' ? 'unsupported' : 'there');

export function withoutBits(reserved: bigint): (data: bigint) => boolean {
  return (data) => (data & reserved) === 0n;
}

export function onlyBits(valid: bigint): (data: bigint) => boolean {
  return (data) => (data & ~valid) === 0n;
}

/** The value that is kept of an MSR, which a read shows unless its rule has another. */
export function keptValue(rule: MsrRule, access: MsrAccess): bigint {
  const { store, index } = placeOf(rule, access);
  return store.get(index) ?? firstValue(rule, access);
}

export function keepValue(rule: MsrRule, access: MsrAccess, data: bigint): void {
  const { store, index } = placeOf(rule, access);
  store.set(index, data);
}

function placeOf({ keptBy, keptAs }: MsrRule, { vcpu, index }: MsrAccess) {
  const store = keptBy === 'vm' ? vcpu.vm.msrs : vcpu.msrs;
  return { store, index: keptAs?.(index) ?? index };
}

function firstValue({ reset = 0n }: MsrRule, access: MsrAccess): bigint {
  return typeof reset === 'function' ? reset(access) : reset;
}
