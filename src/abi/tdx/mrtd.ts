/**
 * MRTD: the measurement that the TDX module makes of a TD while it is built.
 *
 * One SHA-384 stream per TD. Two leaf functions feed it, in call order, and nothing else does:
 * - TDH.MEM.PAGE.ADD: one 128-byte block with the page's GPA. The page's content is not hashed.
 * - TDH.MR.EXTEND: one such block with the GPA of a 256-byte chunk, then the chunk itself.
 *
 * A block is the leaf's name in ASCII from byte 0, the GPA little-endian at byte 16, zeros else.
 * Source: TDX module 1.5, `tdh_mem_page_add.c`, `tdh_mr_extend.c`, `sha384.h`.
 */
import { createHash, type Hash } from 'node:crypto';

export const pageBytes = 4096;
export const mrExtendChunkBytes = 256;

const blockBytes = 128;
const gpaOffset = 16;
const chunksPerPage = pageBytes / mrExtendChunkBytes;
const extendBytes = blockBytes + mrExtendChunkBytes;

/** What a page adds to the stream when only its address is measured, and when its content is too. */
export const hashedBytesPerPage = {
  added: blockBytes,
  measured: blockBytes + chunksPerPage * extendBytes,
} as const;

// One page's whole contribution: the PAGE.ADD block, then 16 times MR.EXTEND block and chunk. It
// is made once and only GPAs and chunks are written over it. All streams share it, because
// Hash.update() has consumed the bytes when it returns.
const record = new Uint8Array(hashedBytesPerPage.measured);
const recordView = new DataView(record.buffer);
const addBlock = record.subarray(0, blockBytes);
const extendRecords = record.subarray(blockBytes);
const oneExtend = record.subarray(blockBytes, blockBytes + extendBytes);

writeAscii(0, 'MEM.PAGE.ADD');
for (let chunk = 0; chunk < chunksPerPage; chunk++) {
  writeAscii(extendRecordOffset(chunk), 'MR.EXTEND');
}

function writeAscii(offset: number, text: string): void {
  for (let i = 0; i < text.length; i++) record[offset + i] = text.charCodeAt(i);
}

function extendRecordOffset(chunk: number): number {
  return blockBytes + chunk * extendBytes;
}

/**
 * The stream of one TD, from TDH.MNG.INIT to TDH.MR.FINALIZE. Cheap to create; independent of any
 * other. Misuse (an address that is not aligned, a chunk of another size) throws RangeError; using
 * it after {@link MrtdStream.finalize} throws Error.
 */
export class MrtdStream {
  readonly #hash: Hash = createHash('sha384');
  #hashedBytes = 0;
  #finalized = false;

  /** How many bytes have gone into the hash so far. */
  get hashedBytes(): number {
    return this.#hashedBytes;
  }

  /** TDH.MEM.PAGE.ADD of the 4 KiB page at `gpa`. */
  pageAdd(gpa: bigint): void {
    checkAddress(gpa, pageBytes);
    writeAddGpa(gpa);
    this.#update(addBlock);
  }

  /** TDH.MR.EXTEND of the 256 bytes at `gpa`. */
  extend(gpa: bigint, chunk: Uint8Array): void {
    checkAddress(gpa, mrExtendChunkBytes);
    checkSize(chunk, mrExtendChunkBytes);
    recordView.setBigUint64(blockBytes + gpaOffset, gpa, true);
    oneExtend.set(chunk, blockBytes);
    this.#update(oneExtend);
  }

  /** The 16 TDH.MR.EXTEND of the 4 KiB page at `gpa`, in ascending order. */
  extendPage(gpa: bigint, page: Uint8Array): void {
    checkAddress(gpa, pageBytes);
    checkSize(page, pageBytes);
    writeExtends(gpa, page);
    this.#update(extendRecords);
  }

  /** {@link pageAdd} and {@link extendPage} in one go: how Linux adds a page that it measures. */
  addAndExtendPage(gpa: bigint, page: Uint8Array): void {
    checkAddress(gpa, pageBytes);
    checkSize(page, pageBytes);
    writeAddGpa(gpa);
    writeExtends(gpa, page);
    this.#update(record);
  }

  /** TDH.MR.FINALIZE: closes the stream and gives the 48 bytes of MRTD. */
  finalize(): Uint8Array {
    this.#checkOpen();
    this.#finalized = true;
    return this.#hash.digest();
  }

  #update(bytes: Uint8Array): void {
    this.#checkOpen();
    this.#hash.update(bytes);
    this.#hashedBytes += bytes.length;
  }

  #checkOpen(): void {
    if (this.#finalized) throw new Error('the MRTD stream is finalized');
  }
}

function writeAddGpa(gpa: bigint): void {
  recordView.setBigUint64(gpaOffset, gpa, true);
}

function writeExtends(gpa: bigint, page: Uint8Array): void {
  // A page is aligned, so a chunk's offset never carries out of the low half of its address.
  const low = Number(gpa & 0xffff_ffffn);
  const high = Number(gpa >> 32n);
  for (let chunk = 0; chunk < chunksPerPage; chunk++) {
    const offset = extendRecordOffset(chunk);
    const start = chunk * mrExtendChunkBytes;
    recordView.setUint32(offset + gpaOffset, low + start, true);
    recordView.setUint32(offset + gpaOffset + 4, high, true);
    record.set(page.subarray(start, start + mrExtendChunkBytes), offset + blockBytes);
  }
}

function checkAddress(gpa: bigint, alignment: number): void {
  if (gpa < 0n || gpa >= 1n << 64n || gpa % BigInt(alignment) !== 0n) {
    throw new RangeError(`GPA 0x${gpa.toString(16)} is not a multiple of ${alignment} bytes`);
  }
}

function checkSize(bytes: Uint8Array, size: number): void {
  if (bytes.length !== size) throw new RangeError(`expected ${size} bytes, got ${bytes.length}`);
}
