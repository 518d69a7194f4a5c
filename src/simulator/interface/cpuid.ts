import type { CpuidEntry } from '../../abi/kvm/structs.ts';

/** `struct kvm_cpuid2`: the kernel copies its header and its entries at different moments. */
export interface UserCpuid {
  readHeader(): CpuidHeader | undefined;
  readEntries(nent: number): readonly CpuidEntry[] | undefined;
  writeHeader(header: CpuidHeader): boolean;
  writeEntries(entries: readonly CpuidEntry[]): boolean;
}

export interface CpuidHeader {
  readonly nent: number;
  readonly padding: number;
}
