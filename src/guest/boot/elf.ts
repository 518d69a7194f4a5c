/** Reads an ELF image as far as a loader needs it: its segments, and its notes. Source: elf(5). */
import { bootInvalid } from './boot-error.ts';
import type { BootRequest } from './types.ts';

const elfMagic = Buffer.from('\x7fELF', 'latin1');
const ident = { class: 4, data: 5 } as const;
const classes = { 32: 1, 64: 2 } as const;
const littleEndian = 1;
const machineAt = 18;
const x86Machines: readonly number[] = [3, 62]; // EM_386, EM_X86_64
const PT_LOAD = 1;
const PT_NOTE = 4;

/** Where the fields of the header and of a program header are, and how wide addresses are. */
const layouts = {
  32: {
    header: { bytes: 52, tableOffset: 28, entryBytes: 42, entries: 44 },
    segment: {
      bytes: 32,
      type: 0,
      offset: 4,
      address: 12,
      fileBytes: 16,
      memoryBytes: 20,
      align: 28,
    },
    read: (view: DataView, at: number) => BigInt(view.getUint32(at, true)),
  },
  64: {
    header: { bytes: 64, tableOffset: 32, entryBytes: 54, entries: 56 },
    segment: {
      bytes: 56,
      type: 0,
      offset: 8,
      address: 24,
      fileBytes: 32,
      memoryBytes: 40,
      align: 48,
    },
    read: (view: DataView, at: number) => view.getBigUint64(at, true),
  },
} as const;

export interface ElfSegment {
  /** The physical address. */
  readonly gpa: bigint;
  readonly memoryBytes: bigint;
  /** What of it is in the file; the rest is zero. */
  readonly bytes: Uint8Array;
}

export interface ElfNote {
  readonly name: string;
  readonly type: number;
  readonly value: Uint8Array;
}

export interface ElfImage {
  readonly segments: readonly ElfSegment[];
  readonly notes: readonly ElfNote[];
}

export function isElf(bytes: Uint8Array): boolean {
  return elfMagic.equals(bytes.subarray(0, elfMagic.length));
}

/** @throws TdctlError TDCTL_E_BOOT_INVALID for whatever is not right with it. */
export function parseElf({ value: bytes, place }: BootRequest['kernel']): ElfImage {
  const invalid = (message: string, hint = 'fetch or build the kernel again') =>
    bootInvalid({ place, message, hint });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const bits = bytes[ident.class] === classes[64] ? 64 : 32;
  const { header, segment, read } = layouts[bits];
  if (bytes.length < header.bytes) {
    throw invalid(`the ELF image is cut off inside its header: it has ${bytes.length} bytes`);
  }
  const isX86 =
    bytes[ident.data] === littleEndian && x86Machines.includes(view.getUint16(machineAt, true));
  if (!isX86) throw invalid('the ELF image is for another CPU', 'use a kernel for x86-64');

  const tableOffset = read(view, header.tableOffset);
  const entryBytes = view.getUint16(header.entryBytes, true);
  const entries = view.getUint16(header.entries, true);
  if (entries > 0 && entryBytes < segment.bytes) {
    throw invalid(
      `the program headers of the ELF image have ${entryBytes} bytes each: it is damaged`,
    );
  }
  if (tableOffset + BigInt(entries * entryBytes) > BigInt(bytes.length)) {
    throw invalid('the ELF image is cut off: its program headers lie beyond its end');
  }
  const segments: ElfSegment[] = [];
  const notes: ElfNote[] = [];
  for (let index = 0; index < entries; index += 1) {
    const at = Number(tableOffset) + index * entryBytes;
    const type = view.getUint32(at + segment.type, true);
    if (type !== PT_LOAD && type !== PT_NOTE) continue;
    const [offset, fileBytes, memoryBytes] = [
      read(view, at + segment.offset),
      read(view, at + segment.fileBytes),
      read(view, at + segment.memoryBytes),
    ];
    if (offset + fileBytes > BigInt(bytes.length)) {
      throw invalid(`the ELF image is cut off: its segment ${index} ends beyond the file`);
    }
    const content = bytes.subarray(Number(offset), Number(offset + fileBytes));
    if (type === PT_NOTE) {
      notes.push(...notesIn(content, read(view, at + segment.align)));
    } else if (memoryBytes < fileBytes) {
      throw invalid(
        `segment ${index} of the ELF image is larger in the file than in memory: it is damaged`,
      );
    } else if (memoryBytes > 0n) {
      segments.push({ gpa: read(view, at + segment.address), memoryBytes, bytes: content });
    }
  }
  return { segments, notes };
}

const noteHeaderBytes = 12;

/** Notes that make no sense end the list: they may be of somebody else. */
function notesIn(bytes: Uint8Array, alignment: bigint): ElfNote[] {
  const notes: ElfNote[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const unit = alignment === 8n ? 8 : 4;
  const aligned = (value: number) => Math.ceil(value / unit) * unit;
  for (let at = 0; at + noteHeaderBytes <= bytes.length; ) {
    const nameBytes = view.getUint32(at, true);
    const valueBytes = view.getUint32(at + 4, true);
    const valueAt = aligned(at + noteHeaderBytes + nameBytes);
    const end = valueAt + valueBytes;
    if (end > bytes.length) break;
    const name = bytes.subarray(at + noteHeaderBytes, at + noteHeaderBytes + nameBytes);
    notes.push({
      name: Buffer.from(name).toString('latin1').replace(/\0+$/, ''),
      type: view.getUint32(at + 8, true),
      value: bytes.subarray(valueAt, end),
    });
    at = aligned(end);
  }
  return notes;
}
