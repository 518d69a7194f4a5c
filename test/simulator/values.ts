/** Structs of a caller for requests that only a VMM makes; `fault` says which access faults. */
import {
  type CoalescedZoneStruct,
  type GsiRoute,
  type MadeFile,
  type MsiStruct,
  type MsrEntry,
  type MsrFilterStruct,
  StructValue,
  type UserBytes,
  type UserFile,
  type UserGsiRouting,
  type UserMsrBitmaps,
  type UserMsrList,
  type UserMsrs,
  type UserSignalMask,
  type UserStruct,
} from '../../src/simulator/index.ts';

type Method<T> = Extract<keyof T, string>;

/** The same struct, whose `method` faults. */
export function faultyAt<T extends object>(struct: T, method: Method<T>): T {
  const faults = () => (method.startsWith('write') ? false : undefined);
  return new Proxy(struct, {
    get: (target, property) => {
      const member: unknown = Reflect.get(target, property);
      if (property === method) return faults;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** Keeps what the kernel made. */
export class FileValue implements UserFile {
  made: MadeFile | undefined;

  writeFile(made: MadeFile): boolean {
    this.made = made;
    return true;
  }
}

export class BytesValue implements UserBytes {
  readonly bytes: Uint8Array;

  constructor(content: number | Uint8Array) {
    this.bytes = typeof content === 'number' ? new Uint8Array(content) : content;
  }

  read(length: number, offset = 0): Uint8Array {
    return this.bytes.subarray(offset, offset + length);
  }

  write(bytes: Uint8Array, offset = 0): boolean {
    this.bytes.set(bytes, offset);
    return true;
  }

  get view(): DataView {
    return new DataView(this.bytes.buffer);
  }
}

export class MsrListValue implements UserMsrList {
  count: number;
  readonly indices: number[] = [];

  constructor(room: number) {
    this.count = room;
  }

  readCount(): number {
    return this.count;
  }

  writeCount(count: number): boolean {
    this.count = count;
    return true;
  }

  writeIndices(indices: readonly number[], at: number): boolean {
    for (const [i, index] of indices.entries()) this.indices[at + i] = index;
    return true;
  }
}

export class MsrsValue implements UserMsrs {
  entries: readonly MsrEntry[];
  readonly #count: number | undefined;

  constructor(entries: readonly (readonly [index: number, data?: bigint])[], count?: number) {
    this.entries = entries.map(([index, data = 0n]) => ({ index, data }));
    this.#count = count;
  }

  readCount(): number {
    return this.#count ?? this.entries.length;
  }

  readEntries(count: number): readonly MsrEntry[] {
    return this.entries.slice(0, count);
  }

  writeEntries(entries: readonly MsrEntry[]): boolean {
    this.entries = entries;
    return true;
  }
}

export function gsiRouting(
  routes: readonly Partial<GsiRoute>[],
  header: { readonly nr?: number; readonly flags?: number } = {},
): UserGsiRouting {
  const none = { gsi: 1, type: 2, flags: 0, words: [0, 0, 0, 0] } as const;
  return {
    readHeader: () => ({ nr: routes.length, flags: 0, ...header }),
    readEntries: () => routes.map((route) => ({ ...none, ...route })),
  };
}

/** An entry that leads to a pin of a chip. */
export function chipRoute(chip: number, pin: number): Partial<GsiRoute> {
  return { type: 1, words: [chip, pin, 0, 0] };
}

export function msiStruct(change: Partial<MsiStruct> = {}) {
  const none = { addressLo: 0xfee0_0000, addressHi: 0, data: 0x40, flags: 0, devid: 0 };
  return new StructValue<MsiStruct>({ ...none, ...change });
}

/** `struct kvm_irqchip` */
export function irqchipState(id: number): BytesValue {
  const bytes = new BytesValue(520);
  bytes.view.setUint32(0, id, true);
  return bytes;
}

export function coalescedZone(change: Partial<CoalescedZoneStruct> = {}) {
  return new StructValue<CoalescedZoneStruct>({ addr: 0x1000n, size: 16, pio: 0, ...change });
}

export function msrFilter(
  flags: number,
  ...ranges: readonly MsrFilterStruct['ranges'][number][]
): UserStruct<MsrFilterStruct> {
  const none = { flags: 0, nmsrs: 0, base: 0 };
  const all = Array.from({ length: 16 }, (_, i) => ranges[i] ?? none);
  return { read: () => ({ flags, ranges: all }), write: () => true };
}

export const emptyBitmaps: UserMsrBitmaps = {
  readBitmap: (_range, lengthBytes) => new Uint8Array(lengthBytes),
};

export function signalMask(length: number, signals = 0n): UserSignalMask {
  return { readLength: () => length, readSignals: () => signals };
}
