// @ts-check
/**
 * The ELF image in a bzImage that was packed by LZ4 (CONFIG_KERNEL_LZ4).
 * Sources: Documentation/arch/x86/boot.rst, payload_offset; lz4, doc/lz4_Frame_format.md ("Legacy frame") and
 * doc/lz4_Block_format.md.
 */

const legacyMagic = 0x184c2102;

/** @param {Buffer} image */
export function vmlinuxOf(image) {
  const start = (image.readUInt8(0x1f1) + 1) * 512 + image.readUInt32LE(0x248);
  const packed = image.subarray(start, start + image.readUInt32LE(0x24c));
  if (packed.readUInt32LE(0) !== legacyMagic) throw new Error('this bzImage is not packed by LZ4');
  const blocks = [];
  // The length of the whole follows the last block.
  for (let at = 4; at + 8 <= packed.length; ) {
    const length = packed.readUInt32LE(at);
    blocks.push(block(packed.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}

const largestBlock = 8 << 20;

/** @param {Buffer} bytes */
function block(bytes) {
  const out = Buffer.alloc(largestBlock);
  let [at, end] = [0, 0];
  const more = (/** @type {number} */ length) => {
    if (length < 15) return length;
    let total = length;
    for (let byte = 255; byte === 255; total += byte) {
      byte = bytes.readUInt8(at);
      at += 1;
    }
    return total;
  };
  while (at < bytes.length) {
    const token = bytes.readUInt8(at);
    at += 1;
    const literals = more(token >> 4);
    bytes.copy(out, end, at, at + literals);
    at += literals;
    end += literals;
    if (at >= bytes.length) break;
    const distance = bytes.readUInt16LE(at);
    at += 2;
    const length = more(token & 15) + 4;
    // A match may go on into what it writes itself.
    for (const last = end + length; end < last; end += 1) {
      out.writeUInt8(out.readUInt8(end - distance), end);
    }
  }
  return out.subarray(0, end);
}
