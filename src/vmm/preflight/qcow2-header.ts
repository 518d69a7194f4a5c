/** The start of an image (docs/interop/qcow2.rst of QEMU), as far as it says what else is opened. */

const magic = Buffer.from('QFI\xfb', 'latin1');
/** Of the incompatible features, bit 2: the data is in a file of its own. */
const externalData = 1n << 2n;
/** Of the header extensions: the format of the backing file, as text. */
const backingFormatExtension = 0xe2792aca;

export interface Qcow2Header {
  readonly backing?: { readonly path: string; readonly format: string | undefined };
  readonly isEncrypted: boolean;
  readonly hasExternalData: boolean;
}

/** undefined: this is no qcow2. */
export function qcow2Header(start: Buffer): Qcow2Header | undefined {
  if (start.length < 72 || !start.subarray(0, 4).equals(magic)) return undefined;
  const version = start.readUInt32BE(4);
  const pathAt = Number(start.readBigUInt64BE(8));
  const pathLength = start.readUInt32BE(16);
  const hasFeatures = version >= 3 && start.length >= 104;
  const features = hasFeatures ? start.readBigUInt64BE(72) : 0n;
  const path = start.subarray(pathAt, pathAt + pathLength).toString();
  const format = extension(start, hasFeatures ? start.readUInt32BE(100) : 72);
  return {
    ...(pathAt !== 0 && { backing: { path, format } }),
    isEncrypted: start.readUInt32BE(32) !== 0,
    hasExternalData: (features & externalData) !== 0n,
  };
}

/** Extensions are type, length, and data padded to 8 bytes; type 0 ends them. */
function extension(start: Buffer, from: number): string | undefined {
  for (let at = from; at + 8 <= start.length; ) {
    const type = start.readUInt32BE(at);
    const length = start.readUInt32BE(at + 4);
    if (type === 0) return undefined;
    if (type === backingFormatExtension) return start.subarray(at + 8, at + 8 + length).toString();
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return undefined;
}
