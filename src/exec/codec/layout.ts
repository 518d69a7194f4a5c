/**
 * A C struct of the kernel's ABI as data: where each field lies and what it is. One table serves both
 * directions. Numbers are little endian, as they are on x86-64.
 */

type Scalar = 'u8' | 'u16' | 'u32' | 'u64';

/** A field is `[offset, type]`, or `[offset, type, count]` for an array. `bytes` stay as they are. */
export type Field =
  | readonly [offset: number, type: Scalar, count?: number]
  | readonly [offset: number, type: 'bytes', count: number];

export type Fields = Readonly<Record<string, Field>>;

type NumberOf<S> = S extends 'u64' ? bigint : number;
type ValueOf<F extends Field> = F extends readonly [number, 'bytes', number]
  ? Uint8Array
  : F extends readonly [number, infer S, number]
    ? readonly NumberOf<S>[]
    : NumberOf<F[1]>;

export type ValuesOf<F extends Fields> = { readonly [Name in keyof F]: ValueOf<F[Name]> };

type Value = number | bigint | Uint8Array | readonly (number | bigint)[];

const scalarBytes: Readonly<Record<Scalar, number>> = { u8: 1, u16: 2, u32: 4, u64: 8 };

export class Layout<const F extends Fields = Fields> {
  readonly sizeBytes: number;
  readonly fields: F;

  /** `sizeBytes` may be more than the fields take: padding, and what nobody here looks at. */
  constructor(sizeBytes: number, fields: F) {
    this.sizeBytes = sizeBytes;
    this.fields = fields;
  }

  decode(bytes: Uint8Array): ValuesOf<F> {
    const view = viewOf(bytes);
    const values: Record<string, Value> = {};
    for (const name in this.fields) {
      const field: Field | undefined = this.fields[name];
      if (field !== undefined) values[name] = get(view, field);
    }
    return values as ValuesOf<F>;
  }

  /** Writes the fields that are given over `bytes`; an array shorter than its field ends in zeros. */
  encodeInto(bytes: Uint8Array, values: Partial<ValuesOf<F>>): void {
    const view = viewOf(bytes);
    for (const name in this.fields) {
      const value: Value | undefined = values[name];
      const field: Field | undefined = this.fields[name];
      if (value !== undefined && field !== undefined) set(view, field, value);
    }
  }

  /** Makes a struct of these values; all else is as in `base`, or zero. */
  encode(values: Partial<ValuesOf<F>>, base?: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(this.sizeBytes);
    if (base !== undefined) bytes.set(base.subarray(0, this.sizeBytes));
    this.encodeInto(bytes, values);
    return bytes;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function get(view: DataView, [offset, type, count]: Field): Value {
  if (type === 'bytes') return new Uint8Array(view.buffer, view.byteOffset + offset, count).slice();
  const at = (index: number) => scalars[type].get(view, offset + index * scalarBytes[type]);
  return count === undefined ? at(0) : Array.from({ length: count }, (_, index) => at(index));
}

function set(view: DataView, [offset, type, count]: Field, value: Value): void {
  if (type === 'bytes') {
    const target = new Uint8Array(view.buffer, view.byteOffset + offset, count);
    target.set((value as Uint8Array).subarray(0, count));
  } else if (count === undefined) {
    scalars[type].set(view, offset, value as number | bigint);
  } else {
    const given = value as readonly (number | bigint)[];
    for (let index = 0; index < count; index++) {
      const item = given[index] ?? (type === 'u64' ? 0n : 0);
      scalars[type].set(view, offset + index * scalarBytes[type], item);
    }
  }
}

interface ScalarAccess {
  get(view: DataView, offset: number): number | bigint;
  set(view: DataView, offset: number, value: number | bigint): void;
}

const scalars: Readonly<Record<Scalar, ScalarAccess>> = {
  u8: {
    get: (view, offset) => view.getUint8(offset),
    set: (view, offset, value) => view.setUint8(offset, value as number),
  },
  u16: {
    get: (view, offset) => view.getUint16(offset, true),
    set: (view, offset, value) => view.setUint16(offset, value as number, true),
  },
  u32: {
    get: (view, offset) => view.getUint32(offset, true),
    set: (view, offset, value) => view.setUint32(offset, value as number, true),
  },
  u64: {
    get: (view, offset) => view.getBigUint64(offset, true),
    set: (view, offset, value) => view.setBigUint64(offset, value as bigint, true),
  },
};
