/**
 * Structs in the client's memory, read and written when the kernel would copy them, by the bytes
 * that it would copy.
 */
import type { CpuidEntry } from '../../abi/kvm/structs.ts';
import type {
  CapabilitiesStruct,
  CpuidHeader,
  TdxCommandStruct,
  UserCapabilities,
  UserCpuid,
  UserStruct,
} from '../../simulator/index.ts';
import type { ClientMemory } from './index.ts';
import type { Field, Layout, ValuesOf } from './layout.ts';
import { structs } from './structs.ts';

/** Where a struct begins in the client's memory. */
export class Place {
  readonly #memory: ClientMemory;
  readonly #address: () => bigint | undefined;

  /** An address that is undefined, because nobody has read it yet, faults. */
  constructor(memory: ClientMemory, address: bigint | (() => bigint | undefined)) {
    this.#memory = memory;
    this.#address = typeof address === 'bigint' ? () => address : address;
  }

  read(lengthBytes: number, offset = 0): Uint8Array | undefined {
    // The kernel copies nothing without looking at the address.
    if (lengthBytes === 0) return new Uint8Array(0);
    const address = this.#at(offset);
    const bytes = address === undefined ? undefined : this.#memory.read(address, lengthBytes);
    return bytes?.length === lengthBytes ? bytes : undefined;
  }

  write(bytes: Uint8Array, offset = 0): boolean {
    if (bytes.length === 0) return true;
    const address = this.#at(offset);
    return address !== undefined && this.#memory.write(address, bytes);
  }

  readU32(offset: number): number | undefined {
    const bytes = this.read(4, offset);
    if (bytes === undefined) return undefined;
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  }

  /** A pointer wraps around, and then faults as any other. */
  #at(offset: number): bigint | undefined {
    const address = this.#address();
    return address === undefined ? undefined : BigInt.asUintN(64, address + BigInt(offset));
  }
}

/** A struct that is copied as a whole. */
export class StructInMemory<const F extends Readonly<Record<string, Field>>>
  implements UserStruct<ValuesOf<F>>
{
  readonly #place: Place;
  readonly #layout: Layout<F>;
  #copied: Uint8Array | undefined;

  constructor(place: Place, layout: Layout<F>) {
    this.#place = place;
    this.#layout = layout;
  }

  read(): ValuesOf<F> | undefined {
    const bytes = this.#place.read(this.#layout.sizeBytes);
    if (bytes === undefined) return undefined;
    this.#copied = bytes.slice();
    return this.#layout.decode(bytes);
  }

  /** All bytes go back: the kernel writes its copy, padding included. */
  write(values: ValuesOf<F>): boolean {
    return this.#place.write(this.#layout.encode(values, this.#copied));
  }
}

/** `struct kvm_tdx_cmd`, and what its `data` points to once it has been read. */
export class TdxCommandInMemory implements UserStruct<TdxCommandStruct> {
  readonly data: Place;
  readonly #struct: StructInMemory<typeof structs.kvm_tdx_cmd.fields>;
  #data: bigint | undefined;

  constructor(memory: ClientMemory, address: bigint) {
    this.#struct = new StructInMemory(new Place(memory, address), structs.kvm_tdx_cmd);
    this.data = new Place(memory, () => this.#data);
  }

  read(): TdxCommandStruct | undefined {
    const cmd = this.#struct.read();
    this.#data = cmd?.data;
    return cmd;
  }

  write(cmd: TdxCommandStruct): boolean {
    return this.#struct.write(cmd);
  }
}

/** A struct that the kernel only reads, in the simulator's terms: it is never written. */
export function mapped<From, To>(
  struct: UserStruct<From>,
  map: (from: From) => To,
): UserStruct<To> {
  return {
    read: () => {
      const from = struct.read();
      return from === undefined ? undefined : map(from);
    },
    write: () => false,
  };
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
    const bytes = this.#place.read(cpuidEntriesBytes(nent), structs.kvm_cpuid2.sizeBytes);
    return bytes === undefined ? undefined : decodeCpuidEntries(bytes, nent);
  }

  writeHeader(header: CpuidHeader): boolean {
    return this.#place.write(structs.kvm_cpuid2.encode(header));
  }

  writeEntries(entries: readonly CpuidEntry[]): boolean {
    return this.#place.write(encodeCpuidEntries(entries), structs.kvm_cpuid2.sizeBytes);
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
    return this.#place.write(Buffer.concat([header, encodeCpuidEntries(cpuid)]));
  }
}

const entryBytes = structs.kvm_cpuid_entry2.sizeBytes;

export function cpuidEntriesBytes(count: number): number {
  return count * entryBytes;
}

export function decodeCpuidEntries(bytes: Uint8Array, count: number): readonly CpuidEntry[] {
  return Array.from({ length: count }, (_, index) =>
    structs.kvm_cpuid_entry2.decode(bytes.subarray(index * entryBytes, (index + 1) * entryBytes)),
  );
}

export function encodeCpuidEntries(entries: readonly CpuidEntry[]): Uint8Array {
  const bytes = new Uint8Array(cpuidEntriesBytes(entries.length));
  for (const [index, entry] of entries.entries()) {
    structs.kvm_cpuid_entry2.encodeInto(bytes.subarray(index * entryBytes), entry);
  }
  return bytes;
}
