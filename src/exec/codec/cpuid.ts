/** `struct kvm_cpuid2`, alone and at the end of `struct kvm_tdx_capabilities`. */
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import type {
  CapabilitiesStruct,
  CpuidHeader,
  UserCapabilities,
  UserCpuid,
} from '../../simulator/index.ts';
import { decodeArray, encodeArray } from './arrays.ts';
import type { Place } from './place.ts';
import { structs } from './structs.ts';

export class CpuidInMemory implements UserCpuid {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  readHeader(): CpuidHeader | undefined {
    const bytes = this.#place.read(structs.kvm_cpuid2.sizeBytes);
    return bytes === undefined ? undefined : structs.kvm_cpuid2.decode(bytes);
  }

  readEntries(nent: number): readonly CpuidEntry[] | undefined {
    const layout = structs.kvm_cpuid_entry2;
    const bytes = this.#place.read(nent * layout.sizeBytes, structs.kvm_cpuid2.sizeBytes);
    return bytes === undefined ? undefined : decodeArray(layout, bytes, nent);
  }

  writeHeader(header: CpuidHeader): boolean {
    return this.#place.write(structs.kvm_cpuid2.encode(header));
  }

  writeEntries(entries: readonly CpuidEntry[]): boolean {
    const bytes = encodeArray(structs.kvm_cpuid_entry2, entries);
    return this.#place.write(bytes, structs.kvm_cpuid2.sizeBytes);
  }
}

export class CapabilitiesInMemory implements UserCapabilities {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  readNent(): number | undefined {
    return this.#place.readU32(structs.kvm_tdx_capabilities.fields.nent[0]);
  }

  /** As a whole: what the kernel has no value for becomes 0. */
  write({ cpuid, ...values }: CapabilitiesStruct): boolean {
    const header = structs.kvm_tdx_capabilities.encode({ ...values, nent: cpuid.length });
    const entries = encodeArray(structs.kvm_cpuid_entry2, cpuid);
    return this.#place.write(Buffer.concat([header, entries]));
  }
}
