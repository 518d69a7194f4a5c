/** Requests about MSRs, on /dev/kvm, a VM and a vCPU. */
import type { UserStruct } from './caller.ts';

/** `struct kvm_msr_list`: the count is written before it is compared with the caller's room. */
export interface UserMsrList {
  readCount(): number | undefined;
  writeCount(count: number): boolean;
  /** @param at index of the first one in the caller's array */
  writeIndices(indices: readonly number[], at: number): boolean;
}

/** `struct kvm_msrs`: its header, then as many entries as it says; written back whole. */
export interface UserMsrs {
  readCount(): number | undefined;
  readEntries(count: number): readonly MsrEntry[] | undefined;
  writeEntries(entries: readonly MsrEntry[]): boolean;
}

/** `struct kvm_msr_entry` */
export interface MsrEntry {
  readonly index: number;
  readonly data: bigint;
}

/** `struct kvm_msr_filter`; always 16 ranges, those of no MSRs are skipped. */
export interface MsrFilterStruct {
  readonly flags: number;
  readonly ranges: readonly MsrFilterRange[];
}

export interface MsrFilterRange {
  readonly flags: number;
  readonly nmsrs: number;
  readonly base: number;
}

/** The bitmaps that the ranges of a filter point to, as the filter was read last. */
export interface UserMsrBitmaps {
  /** @param range index of the range */
  readBitmap(range: number, lengthBytes: number): Uint8Array | undefined;
}

/** On /dev/kvm. */
export type MsrListRequest = {
  readonly request: 'KVM_GET_MSR_INDEX_LIST' | 'KVM_GET_MSR_FEATURE_INDEX_LIST';
  readonly list: UserMsrList;
};

/** KVM_GET_MSRS: of the features on /dev/kvm, of the guest on a vCPU. The value is how many it got through. */
export type MsrsRequest =
  | { readonly request: 'KVM_GET_MSRS'; readonly msrs: UserMsrs }
  | { readonly request: 'KVM_SET_MSRS'; readonly msrs: UserMsrs };

/** On a VM. */
export type MsrFilterRequest = {
  readonly request: 'KVM_X86_SET_MSR_FILTER';
  readonly filter: UserStruct<MsrFilterStruct>;
  readonly bitmaps: UserMsrBitmaps;
};
