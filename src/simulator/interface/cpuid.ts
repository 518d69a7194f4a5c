import type { CpuidEntry } from '../../abi/kvm/structs.ts';

/** `struct kvm_cpuid2`: the kernel copies its header and its entries at different moments. */
export interface UserCpuid {
  readHeader(): CpuidHeader | undefined;
  readEntries(nent: number): readonly CpuidEntry[] | undefined;
  /** Whether the padding of that many entries can be read and is 0. Absent: it is. */
  hasCleanPadding?(nent: number): boolean;
  writeHeader(header: CpuidHeader): boolean;
  writeEntries(entries: readonly CpuidEntry[]): boolean;
}

export interface CpuidHeader {
  readonly nent: number;
  readonly padding: number;
}
