/**
 * Structs in the client's memory, read and written when the kernel would copy them, by the bytes that
 * it would copy.
 */
import type { UserStruct } from '../../simulator/index.ts';
import { type Fields, Layout, type ValuesOf } from './layout.ts';
import type { Place } from './place.ts';

/** The kernel copies such a struct as a whole. */
export class StructInMemory<const F extends Fields> implements UserStruct<ValuesOf<F>> {
  readonly #place: Place;
  readonly #layout: Layout<F>;
  #copied: Uint8Array | undefined;

  constructor(place: Place, layout: Layout<F>) {
    this.#place = place;
    this.#layout = layout;
  }

  read(): ValuesOf<F> | undefined {
    this.#copied = this.#place.read(this.#layout.sizeBytes)?.slice();
    return this.last;
  }

  /** The struct as it was read last. What a pointer in it leads to is looked for there. */
  get last(): ValuesOf<F> | undefined {
    return this.#copied === undefined ? undefined : this.#layout.decode(this.#copied);
  }

  /** All bytes go back, because the kernel writes its whole copy, padding included. */
  write(values: ValuesOf<F>): boolean {
    return this.#place.write(this.#layout.encode(values, this.#copied));
  }
}

/** Puts a struct that the kernel only reads into the simulator's terms. */
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

const u32Layout = new Layout(4, { value: [0, 'u32'] });
const u64Layout = new Layout(8, { value: [0, 'u64'] });

/** The argument points to a `__u32`, or to a struct of nothing else. */
export function u32InMemory(place: Place): UserStruct<number> {
  return alone(new StructInMemory(place, u32Layout));
}

/** The argument points to a `__u64`, or to a struct of nothing else. */
export function u64InMemory(place: Place): UserStruct<bigint> {
  return alone(new StructInMemory(place, u64Layout));
}

function alone<T>(struct: UserStruct<{ readonly value: T }>): UserStruct<T> {
  return { read: () => struct.read()?.value, write: (value) => struct.write({ value }) };
}
