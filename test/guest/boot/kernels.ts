/**
 * Kernels of a few instructions, in the two forms that real ones have. Each prints its command line, its initrd and the
 * first eight bytes of the RSDP, with `|` between them, and powers off.
 */

const printsByBootParams = Uint8Array.of(
  ...[0xb8, 0x18, 0x00, 0x00, 0x00], // mov $0x18,%eax: the GDT has data there
  ...[0x8e, 0xd8], // mov %eax,%ds
  ...[0x8e, 0xd0], // mov %eax,%ss
  ...[0xba, 0xf8, 0x03, 0x00, 0x00], // mov $0x3f8,%edx
  ...[0x8b, 0xbe, 0x28, 0x02, 0x00, 0x00], // mov 0x228(%rsi),%edi
  ...[0x8a, 0x07], // mov (%rdi),%al
  ...[0x48, 0xff, 0xc7], // inc %rdi
  ...[0x84, 0xc0], // test %al,%al
  ...[0x74, 0x03], // je 0x17
  0xee, // out %al,(%dx)
  ...[0xeb, 0xf4], // jmp 0xb
  ...[0xb0, 0x7c], // mov $0x7c,%al
  0xee, // out %al,(%dx)
  ...[0x8b, 0xbe, 0x18, 0x02, 0x00, 0x00], // mov 0x218(%rsi),%edi
  ...[0x8b, 0x8e, 0x1c, 0x02, 0x00, 0x00], // mov 0x21c(%rsi),%ecx
  ...[0x85, 0xc9], // test %ecx,%ecx
  ...[0x74, 0x0a], // je 0x34
  ...[0x8a, 0x07], // mov (%rdi),%al
  ...[0x48, 0xff, 0xc7], // inc %rdi
  ...[0xff, 0xc9], // dec %ecx
  0xee, // out %al,(%dx)
  ...[0xeb, 0xf2], // jmp 0x26
  ...[0xb0, 0x7c], // mov $0x7c,%al
  0xee, // out %al,(%dx)
  ...[0x48, 0x8b, 0x7e, 0x70], // mov 0x70(%rsi),%rdi
  ...[0xb9, 0x08, 0x00, 0x00, 0x00], // mov $0x8,%ecx
  ...[0x8a, 0x07], // mov (%rdi),%al
  ...[0x48, 0xff, 0xc7], // inc %rdi
  0xee, // out %al,(%dx)
  ...[0xff, 0xc9], // dec %ecx
  ...[0x75, 0xf6], // jne 0x40
  ...[0xba, 0x04, 0x06, 0x00, 0x00], // mov $0x604,%edx
  ...[0xb8, 0x00, 0x20, 0x00, 0x00], // mov $0x2000,%eax
  ...[0x66, 0xef], // out %ax,(%dx)
  0xf4, // hlt
);

const printsByStartInfo = Uint8Array.of(
  ...[0xb8, 0x18, 0x00, 0x00, 0x00], // mov $0x18,%eax: the GDT has data there
  ...[0x8e, 0xd8], // mov %eax,%ds
  ...[0x8e, 0xd0], // mov %eax,%ss
  ...[0xba, 0xf8, 0x03, 0x00, 0x00], // mov $0x3f8,%edx
  ...[0x8b, 0x7b, 0x18], // mov 0x18(%ebx),%edi
  ...[0x8a, 0x07], // mov (%edi),%al
  0x47, // inc %edi
  ...[0x84, 0xc0], // test %al,%al
  ...[0x74, 0x03], // je 0x12
  0xee, // out %al,(%dx)
  ...[0xeb, 0xf6], // jmp 0x8
  ...[0xb0, 0x7c], // mov $0x7c,%al
  0xee, // out %al,(%dx)
  ...[0x31, 0xc9], // xor %ecx,%ecx
  ...[0x83, 0x7b, 0x0c, 0x00], // cmpl $0x0,0xc(%ebx)
  ...[0x74, 0x08], // je 0x25
  ...[0x8b, 0x73, 0x10], // mov 0x10(%ebx),%esi
  ...[0x8b, 0x3e], // mov (%esi),%edi
  ...[0x8b, 0x4e, 0x08], // mov 0x8(%esi),%ecx
  ...[0x85, 0xc9], // test %ecx,%ecx
  ...[0x74, 0x07], // je 0x30
  ...[0x8a, 0x07], // mov (%edi),%al
  0x47, // inc %edi
  0x49, // dec %ecx
  0xee, // out %al,(%dx)
  ...[0xeb, 0xf5], // jmp 0x25
  ...[0xb0, 0x7c], // mov $0x7c,%al
  0xee, // out %al,(%dx)
  ...[0x8b, 0x7b, 0x20], // mov 0x20(%ebx),%edi
  ...[0xb9, 0x08, 0x00, 0x00, 0x00], // mov $0x8,%ecx
  ...[0x8a, 0x07], // mov (%edi),%al
  0x47, // inc %edi
  0xee, // out %al,(%dx)
  0x49, // dec %ecx
  ...[0x75, 0xf9], // jne 0x3b
  ...[0xba, 0x04, 0x06, 0x00, 0x00], // mov $0x604,%edx
  ...[0xb8, 0x00, 0x20, 0x00, 0x00], // mov $0x2000,%eax
  ...[0x66, 0xef], // out %ax,(%dx)
  0xf4, // hlt
);

/** What a test may have otherwise in a bzImage; the names are those of the fields. */
export interface BzImageFields {
  readonly version?: number;
  readonly xloadFlags?: number;
  readonly loadFlags?: number;
  readonly bootFlag?: number;
  readonly jump?: number;
  readonly setupSectors?: number;
  readonly initrdAddressMax?: number;
  readonly commandLineSize?: number;
  readonly preferredAddress?: bigint;
  readonly initSize?: number;
  readonly code?: Uint8Array;
}

const entryOffset = 0x200;

export function bzImage(fields: BzImageFields = {}): Uint8Array {
  const { setupSectors = 1, code = printsByBootParams } = fields;
  const paragraphs = Math.ceil((entryOffset + code.length) / 16);
  const payloadAt = (setupSectors + 1) * 512;
  const bytes = new Uint8Array(payloadAt + 16 * paragraphs);
  const view = new DataView(bytes.buffer);
  view.setUint8(0x1f1, setupSectors);
  view.setUint32(0x1f4, paragraphs, true);
  view.setUint16(0x1fe, fields.bootFlag ?? 0xaa55, true);
  bytes.set([0xeb, fields.jump ?? 0x66], 0x200);
  bytes.set(Buffer.from('HdrS'), 0x202);
  view.setUint16(0x206, fields.version ?? 0x20f, true);
  view.setUint8(0x211, fields.loadFlags ?? 1);
  view.setUint32(0x22c, fields.initrdAddressMax ?? 0x7fff_ffff, true);
  view.setUint16(0x236, fields.xloadFlags ?? 1, true);
  view.setUint32(0x238, fields.commandLineSize ?? 2047, true);
  view.setBigUint64(0x258, fields.preferredAddress ?? 0x100_0000n, true);
  view.setUint32(0x260, fields.initSize ?? 0x10_0000, true);
  bytes.set(code, payloadAt + entryOffset);
  return bytes;
}

/** What a test may have otherwise in an ELF image with a PVH entry. */
export interface ElfFields {
  readonly bits?: 32 | 64;
  readonly machine?: number;
  readonly address?: bigint;
  readonly memoryBytes?: bigint;
  readonly entry?: bigint;
  readonly noteName?: string;
  readonly noteBytes?: number;
  readonly secondAddress?: bigint;
}

export function pvhImage(fields: ElfFields = {}): Uint8Array {
  const { bits = 64, address = 0x20_0000n, noteName = 'Xen', noteBytes = 8 } = fields;
  const code = printsByStartInfo;
  const wide = bits === 64;
  const [headerBytes, entryBytes] = wide ? [64, 56] : [52, 32];
  const entries = fields.secondAddress === undefined ? 2 : 3;
  const noteAt = headerBytes + entries * entryBytes;
  const note = new Uint8Array(12 + 4 + noteBytes);
  const noteView = new DataView(note.buffer);
  noteView.setUint32(0, noteName.length + 1, true);
  noteView.setUint32(4, noteBytes, true);
  noteView.setUint32(8, 18, true);
  note.set(Buffer.from(noteName), 12);
  if (noteBytes >= 4) noteView.setUint32(16, Number(fields.entry ?? address), true);
  const codeAt = noteAt + note.length;
  const bytes = new Uint8Array(codeAt + code.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  view.setUint16(18, fields.machine ?? (wide ? 62 : 3), true);
  const setAddress = (at: number, value: bigint) => {
    if (wide) view.setBigUint64(at, value, true);
    else view.setUint32(at, Number(value), true);
  };
  setAddress(wide ? 32 : 28, BigInt(headerBytes));
  view.setUint16(wide ? 54 : 42, entryBytes, true);
  view.setUint16(wide ? 56 : 44, entries, true);
  const segment = (index: number, type: number, places: readonly bigint[]) => {
    const at = headerBytes + index * entryBytes;
    view.setUint32(at, type, true);
    // p_offset, p_paddr, p_filesz, p_memsz, p_align
    const offsets = wide ? [8, 24, 32, 40, 48] : [4, 12, 16, 20, 28];
    offsets.forEach((offset, which) => {
      setAddress(at + offset, places[which] ?? 0n);
    });
  };
  const codeBytes = BigInt(code.length);
  const load = (index: number, gpa: bigint) =>
    segment(index, 1, [BigInt(codeAt), gpa, codeBytes, fields.memoryBytes ?? codeBytes, 4n]);
  load(0, address);
  segment(1, 4, [BigInt(noteAt), 0n, BigInt(note.length), BigInt(note.length), 4n]);
  if (fields.secondAddress !== undefined) load(2, fields.secondAddress);
  bytes.set(note, noteAt);
  bytes.set(code, codeAt);
  return bytes;
}
