/** The smallest qcow2 image (docs/interop/qcow2.rst of QEMU): a header, one table of each kind, and no data. */
import { writeFileSync } from 'node:fs';

const clusterBytes = 65_536;

interface Image {
  readonly sizeBytes?: number;
  readonly backing?: string;
  readonly backingFormat?: string;
}

export function writeQcow2(
  path: string,
  { sizeBytes = 16 << 20, backing, backingFormat }: Image = {},
): void {
  const image = Buffer.alloc(4 * clusterBytes);
  image.write('QFI\xfb', 0, 'latin1');
  image.writeUInt32BE(2, 4);
  if (backing !== undefined) {
    const at = 1024;
    image.writeBigUInt64BE(BigInt(at), 8);
    image.writeUInt32BE(Buffer.byteLength(backing), 16);
    image.write(backing, at);
  }
  if (backingFormat !== undefined) {
    image.writeUInt32BE(0xe2792aca, 72);
    image.writeUInt32BE(backingFormat.length, 76);
    image.write(backingFormat, 80);
  }
  image.writeUInt32BE(16, 20);
  image.writeBigUInt64BE(BigInt(sizeBytes), 24);
  image.writeUInt32BE(1, 36); // L1 entries
  image.writeBigUInt64BE(BigInt(3 * clusterBytes), 40);
  image.writeBigUInt64BE(BigInt(clusterBytes), 48);
  image.writeUInt32BE(1, 56); // clusters of the refcount table
  image.writeBigUInt64BE(BigInt(2 * clusterBytes), clusterBytes);
  for (let cluster = 0; cluster < 4; cluster++) {
    image.writeUInt16BE(1, 2 * clusterBytes + 2 * cluster);
  }
  writeFileSync(path, image);
}
