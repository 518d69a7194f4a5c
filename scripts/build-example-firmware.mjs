#!/usr/bin/env node
/**
 * Builds examples/firmware/hello.fd, a small TDVF image: as much firmware as a TD needs to be
 * built, measured and finalized, and the example guest (examples/guest/) for its vCPUs. The same source
 * always gives the same bytes; a test rebuilds it and compares.
 *
 *   node scripts/build-example-firmware.mjs [FILE]
 *
 * The metadata is written here by hand, not with the code that tdctl reads it with, so that the
 * image is a witness of its own. Layout: TDX Virtual Firmware Design Guide.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const imageBytes = 0x10000;
const loadAddress = 0x1_0000_0000n - BigInt(imageBytes);
const variableStoreBytes = 0x1000;

const measured = 1;
const sectionType = { BFV: 0, CFV: 1, TD_HOB: 2, TEMP_MEM: 3 };

/** Offsets in the image. Those of the table and the reset vector are fixed by the format. */
const at = {
  code: variableStoreBytes,
  descriptor: 0xfe00,
  tableEnd: imageBytes - 0x20,
  legacyPointer: imageBytes - 0x20,
  resetVector: imageBytes - 0x10,
};

/**
 * Code first, then the variable store, then scratch memory, as OVMF lists them. All of it fits into
 * 16 MiB of guest memory. The guest's own memory is TEMP_MEM (examples/guest/guest.inc has its layout):
 * a page for each of 16 vCPUs.
 */
const sections = [
  {
    type: sectionType.BFV,
    dataOffset: at.code,
    rawBytes: imageBytes - at.code,
    gpa: loadAddress + BigInt(at.code),
    memoryBytes: BigInt(imageBytes - at.code),
    attributes: measured,
  },
  {
    type: sectionType.CFV,
    dataOffset: 0,
    rawBytes: variableStoreBytes,
    gpa: loadAddress,
    memoryBytes: BigInt(variableStoreBytes),
    attributes: 0,
  },
  scratch({ type: sectionType.TEMP_MEM, gpa: 0x810000n, memoryBytes: 0x10000n }),
  scratch({ type: sectionType.TD_HOB, gpa: 0x809000n, memoryBytes: 0x2000n }),
];

/** @param {{ type: number, gpa: bigint, memoryBytes: bigint }} section */
function scratch(section) {
  return { ...section, dataOffset: 0, rawBytes: 0, attributes: 0 };
}

/**
 * A vCPU starts here: in a TD in 32-bit protected mode, in a plain VM that nobody has prepared in 16-bit
 * real mode. Every instruction but the last is encoded the same in both. A plain VM halts. In protected
 * mode the guest begins, which is at the start of the code.
 */
const resetVector = [
  { code: 'fa', asm: 'cli' },
  { code: '0f01e0', asm: 'smsw eax' },
  { code: 'a801', asm: 'test al, 1 (CR0.PE: protected mode)' },
  { code: '7503', asm: 'jnz begin' },
  { code: 'f4', asm: 'halt: hlt' },
  { code: 'ebfd', asm: 'jmp halt' },
  { code: `e9${littleEndian(at.code - imageBytes)}`, asm: 'begin: jmp guest' },
];

/** @param {number} distance */
function littleEndian(distance) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(distance);
  return bytes.toString('hex');
}

export function buildHelloFirmware() {
  const image = Buffer.alloc(imageBytes, 0xff); // as erased flash reads
  const guest = readFileSync(new URL('../examples/guest/guest.bin', import.meta.url));
  if (guest.length > at.descriptor - 16 - at.code) throw new Error('the guest is too large');
  image.set(guest, at.code);
  writeDescriptor(image);
  writeGuidedTable(image);
  image.writeUInt32LE(at.descriptor, at.legacyPointer);
  image.write(resetVector.map(({ code }) => code).join(''), at.resetVector, 'hex');
  return image;
}

/** @param {Buffer} image */
function writeDescriptor(image) {
  image.set(guid('e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae'), at.descriptor - 16);
  image.write('TDVF', at.descriptor, 'ascii');
  image.writeUInt32LE(16 + 32 * sections.length, at.descriptor + 4);
  image.writeUInt32LE(1, at.descriptor + 8); // version
  image.writeUInt32LE(sections.length, at.descriptor + 12);
  sections.forEach((section, index) => {
    const entry = at.descriptor + 16 + 32 * index;
    image.writeUInt32LE(section.dataOffset, entry);
    image.writeUInt32LE(section.rawBytes, entry + 4);
    image.writeBigUInt64LE(section.gpa, entry + 8);
    image.writeBigUInt64LE(section.memoryBytes, entry + 16);
    image.writeUInt32LE(section.type, entry + 24);
    image.writeUInt32LE(section.attributes, entry + 28);
  });
}

/**
 * The table grows downwards from its footer; an entry is data, u16 length, GUID.
 * @param {Buffer} image
 */
function writeGuidedTable(image) {
  const descriptorFromEnd = Buffer.alloc(4);
  descriptorFromEnd.writeUInt32LE(imageBytes - at.descriptor);
  const metadata = guidedEntry('e47a6535-984a-4798-865e-4685a7bf8ec2', descriptorFromEnd);
  const footerBytes = 18;
  const footer = Buffer.alloc(footerBytes);
  footer.writeUInt16LE(metadata.length + footerBytes);
  footer.set(guid('96b582de-1fb2-45f7-baea-a366c55a082d'), 2);
  image.set(footer, at.tableEnd - footerBytes);
  image.set(metadata, at.tableEnd - footerBytes - metadata.length);
}

/**
 * @param {string} name
 * @param {Buffer} data
 */
function guidedEntry(name, data) {
  const entry = Buffer.alloc(data.length + 18);
  entry.set(data);
  entry.writeUInt16LE(entry.length, data.length);
  entry.set(guid(name), data.length + 2);
  return entry;
}

/**
 * EFI stores the first three groups little-endian.
 * @param {string} text
 */
function guid(text) {
  const [a = '', b = '', c = '', ...rest] = text.split('-');
  const little = [a, b, c].map((group) => Buffer.from(group, 'hex').reverse());
  return Buffer.concat([...little, Buffer.from(rest.join(''), 'hex')]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const target = process.argv[2] ?? new URL('../examples/firmware/hello.fd', import.meta.url);
  writeFileSync(target, buildHelloFirmware());
}
