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
import type { Hash } from 'node:crypto';

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

const recordBytes = hashedBytesPerPage.measured;
/** Pages that go into one Hash.update(): a call costs as much as hashing a quarter of a page. */
const batchPages = 16;

// The whole contribution of a page is one record: the PAGE.ADD block, then 16 times MR.EXTEND block
// and chunk. Records are made once and only GPAs and chunks are written over them. All streams share
// them, because Hash.update() has consumed the bytes when it returns.
const records = new Uint8Array(recordBytes * batchPages);
const recordsView = new DataView(records.buffer);
const addBlock = records.subarray(0, blockBytes);
const extendRecords = records.subarray(blockBytes, recordBytes);
const oneExtend = records.subarray(blockBytes, blockBytes + extendBytes);

for (let record = 0; record < records.length; record += recordBytes) {
  writeAscii(record, 'MEM.PAGE.ADD');
  for (let chunk = 0; chunk < chunksPerPage; chunk++) {
    writeAscii(record + blockBytes + chunk * extendBytes, 'MR.EXTEND');
  }
}

function writeAscii(offset: number, text: string): void {
  for (let i = 0; i < text.length; i++) records[offset + i] = text.charCodeAt(i);
}

/**
 * The stream of one TD, from TDH.MNG.INIT to TDH.MR.FINALIZE. Cheap to create; independent of any
 * other. Misuse (an address that is not aligned, a chunk of another size) throws RangeError; using
 * it after {@link MrtdStream.finalize} throws Error.
 */
export class MrtdStream {
  // Loaded for the first TD: it takes Node a tenth of its start, and most commands build none.
  readonly #hash: Hash = process.getBuiltinModule('node:crypto').createHash('sha384');
  #hashedBytes = 0;
  #finalized = false;

  /** How many bytes have gone into the hash so far. */
  get hashedBytes(): number {
    return this.#hashedBytes;
  }

  /** TDH.MEM.PAGE.ADD of the 4 KiB page at `gpa`. */
  pageAdd(gpa: bigint): void {
    checkAddress(gpa, pageBytes);
    writeAddGpa(0, gpa);
    this.#update(addBlock);
  }

  /** TDH.MR.EXTEND of the 256 bytes at `gpa`. */
  extend(gpa: bigint, chunk: Uint8Array): void {
    checkAddress(gpa, mrExtendChunkBytes);
    checkSize(chunk, mrExtendChunkBytes);
    recordsView.setBigUint64(blockBytes + gpaOffset, gpa, true);
    oneExtend.set(chunk, blockBytes);
    this.#update(oneExtend);
  }

  /** The 16 TDH.MR.EXTEND of the 4 KiB page at `gpa`, in ascending order. */
  extendPage(gpa: bigint, page: Uint8Array): void {
    checkAddress(gpa, pageBytes);
    checkSize(page, pageBytes);
    writeExtends(0, gpa, page);
    this.#update(extendRecords);
  }

  /**
   * {@link pageAdd} and {@link extendPage} of each page in turn, from `gpa` up: how Linux adds pages
   * that it measures.
   */
  addAndExtendPages(gpa: bigint, pages: Uint8Array): void {
    checkAddress(gpa, pageBytes);
    if (pages.length % pageBytes !== 0) {
      throw new RangeError(`${pages.length} bytes are not whole pages`);
    }
    this.#checkOpen();
    let record = 0;
    for (let offset = 0; offset < pages.length; offset += pageBytes) {
      const pageGpa = gpa + BigInt(offset);
      writeAddGpa(record, pageGpa);
      writeExtends(record, pageGpa, pages.subarray(offset, offset + pageBytes));
      record += recordBytes;
      if (record === records.length || offset + pageBytes === pages.length) {
        this.#update(records.subarray(0, record));
        record = 0;
      }
    }
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

function writeAddGpa(record: number, gpa: bigint): void {
  recordsView.setBigUint64(record + gpaOffset, gpa, true);
}

function writeExtends(record: number, gpa: bigint, page: Uint8Array): void {
  // A page is aligned, so a chunk's offset never carries out of the low half of its address.
  const low = Number(gpa & 0xffff_ffffn);
  const high = Number(gpa >> 32n);
  for (let chunk = 0; chunk < chunksPerPage; chunk++) {
    const offset = record + blockBytes + chunk * extendBytes;
    const start = chunk * mrExtendChunkBytes;
    recordsView.setUint32(offset + gpaOffset, low + start, true);
    recordsView.setUint32(offset + gpaOffset + 4, high, true);
    records.set(page.subarray(start, start + mrExtendChunkBytes), offset + blockBytes);
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
