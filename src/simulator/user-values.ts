/** Structs of a caller that lives in this process and has plain values: they never fault. */
import type { CpuidEntry } from '../abi/kvm/structs.ts';
import type {
  CapabilitiesStruct,
  CpuidHeader,
  InitVmStruct,
  UserCapabilities,
  UserCpuid,
  UserInitVm,
  UserStruct,
} from './interface.ts';

export class StructValue<T> implements UserStruct<T> {
  value: T;

  constructor(value: T) {
    this.value = value;
  }

  read(): T {
    return this.value;
  }

  write(value: T): boolean {
    this.value = value;
    return true;
  }
}

/** Room for `nent` entries, or the entries to hand over. */
export class CpuidValue implements UserCpuid {
  nent: number;
  entries: readonly CpuidEntry[];

  constructor(content: number | readonly CpuidEntry[]) {
    this.nent = typeof content === 'number' ? content : content.length;
    this.entries = typeof content === 'number' ? [] : content;
  }

  readHeader(): CpuidHeader {
    return { nent: this.nent, padding: 0 };
  }

  readEntries(nent: number): readonly CpuidEntry[] {
    return nent === this.entries.length ? this.entries : this.entries.slice(0, nent);
  }

  writeHeader(header: CpuidHeader): boolean {
    this.nent = header.nent;
    return true;
  }

  writeEntries(entries: readonly CpuidEntry[]): boolean {
    this.entries = entries;
    return true;
  }
}

export class InitVmValue implements UserInitVm {
  readonly #struct: InitVmStruct;

  constructor(struct: InitVmStruct) {
    this.#struct = struct;
  }

  readNent(): number {
    return this.#struct.cpuid.nent;
  }

  read(): InitVmStruct {
    return this.#struct;
  }
}

export class CapabilitiesValue implements UserCapabilities {
  readonly #nent: number;
  value: CapabilitiesStruct | undefined;

  constructor(nent: number) {
    this.#nent = nent;
  }

  readNent(): number {
    return this.#nent;
  }

  write(value: CapabilitiesStruct): boolean {
    this.value = value;
    return true;
  }
}
