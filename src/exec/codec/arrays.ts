/** Entries that follow a header in the client's memory. */
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import type {
  CapabilitiesStruct,
  CpuidHeader,
  GsiRoute,
  MsrEntry,
  UserCapabilities,
  UserCpuid,
  UserGsiRouting,
  UserMsrList,
  UserMsrs,
} from '../../simulator/index.ts';
import type { Fields, Layout, ValuesOf } from './layout.ts';
import type { Place } from './place.ts';
import { structs } from './structs.ts';

export function decodeArray<const F extends Fields>(
  layout: Layout<F>,
  bytes: Uint8Array,
  count: number,
): ValuesOf<F>[] {
  const { sizeBytes } = layout;
  return Array.from({ length: count }, (_, index) =>
    layout.decode(bytes.subarray(index * sizeBytes, (index + 1) * sizeBytes)),
  );
}

/** What an entry has no field for is as in `base`, or zero. */
export function encodeArray<const F extends Fields>(
  layout: Layout<F>,
  entries: readonly ValuesOf<F>[],
  base?: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(entries.length * layout.sizeBytes);
  if (base !== undefined) bytes.set(base.subarray(0, bytes.length));
  for (const [index, entry] of entries.entries()) {
    layout.encodeInto(bytes.subarray(index * layout.sizeBytes), entry);
  }
  return bytes;
}

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

export class MsrListInMemory implements UserMsrList {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  readCount(): number | undefined {
    return this.#place.readU32();
  }

  writeCount(count: number): boolean {
    return this.#place.write(structs.kvm_msr_list.encode({ count }));
  }

  writeIndices(indices: readonly number[], at: number): boolean {
    const offset = structs.kvm_msr_list.sizeBytes + at * Uint32Array.BYTES_PER_ELEMENT;
    return this.#place.write(littleEndianWords(indices), offset);
  }
}

function littleEndianWords(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * Uint32Array.BYTES_PER_ELEMENT);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
  return bytes;
}

export class MsrsInMemory implements UserMsrs {
  readonly #place: Place;
  #copied: Uint8Array | undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  readCount(): number | undefined {
    const bytes = this.#place.read(structs.kvm_msrs.sizeBytes);
    return bytes === undefined ? undefined : structs.kvm_msrs.decode(bytes).count;
  }

  readEntries(count: number): readonly MsrEntry[] | undefined {
    const layout = structs.kvm_msr_entry;
    const bytes = this.#place.read(count * layout.sizeBytes, structs.kvm_msrs.sizeBytes);
    this.#copied = bytes?.slice();
    return bytes === undefined ? undefined : decodeArray(layout, bytes, count);
  }

  /** The kernel's copy goes back, with the reserved words as they came. */
  writeEntries(entries: readonly MsrEntry[]): boolean {
    const bytes = encodeArray(structs.kvm_msr_entry, entries, this.#copied);
    return this.#place.write(bytes, structs.kvm_msrs.sizeBytes);
  }
}

export class GsiRoutingInMemory implements UserGsiRouting {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  readHeader(): { readonly nr: number; readonly flags: number } | undefined {
    const bytes = this.#place.read(structs.kvm_irq_routing.sizeBytes);
    return bytes === undefined ? undefined : structs.kvm_irq_routing.decode(bytes);
  }

  readEntries(nr: number): readonly GsiRoute[] | undefined {
    const layout = structs.kvm_irq_routing_entry;
    const bytes = this.#place.read(nr * layout.sizeBytes, structs.kvm_irq_routing.sizeBytes);
    if (bytes === undefined) return undefined;
    return decodeArray(layout, bytes, nr).map(({ word0, word1, word2, word3, ...route }) => ({
      ...route,
      words: [word0, word1, word2, word3],
    }));
  }
}
