/** Disks: virtio-blk over the layers of an image, each of which is opened by us. */
import type { Disk } from '../../spec/trust-domain.ts';
import type { DiskLayer } from './command.ts';
import type { Making } from './element.ts';
import type { FileTable } from './file-table.ts';
import { json } from './words.ts';

export function diskWords({ engine, disks, files }: Making): string[] {
  return engine.disks.flatMap((disk, index) => {
    const id = `disk${index}`;
    const { words, node } = nodeOf(disks[index] ?? [], { disk, files, isTop: true });
    return [
      ...words,
      ...json('-blockdev', { ...node, 'node-name': id }),
      ...json('-device', {
        driver: 'virtio-blk-pci',
        id: `${id}-device`,
        drive: id,
        bootindex: index,
        ...(disk.serial !== undefined && { serial: disk.serial }),
      }),
    ];
  });
}

interface NodeOptions {
  readonly disk: Disk;
  readonly files: FileTable;
  /** Only the top layer is written to. */
  readonly isTop: boolean;
}

interface Node {
  readonly words: readonly string[];
  readonly node: Readonly<Record<string, unknown>>;
}

function nodeOf([layer, ...below]: readonly DiskLayer[], options: NodeOptions): Node {
  if (layer === undefined) throw new Error('each disk of the file was looked at');
  const { disk, files, isTop } = options;
  const isReadOnly = disk.readOnly || !isTop;
  // QEMU wants O_DIRECT for Linux AIO, and looks for it among the flags of an fd (util/osdep.c): it opens these itself.
  const isDirect = disk.aio === 'native';
  const { words, path } = isDirect
    ? { words: [], path: layer.path }
    : files.set(layer.path, isReadOnly ? 'read' : 'readWrite');
  const both = {
    'read-only': isReadOnly,
    discard: disk.discard && isTop ? 'unmap' : 'ignore',
    ...(isDirect && { cache: { direct: true } }),
  };
  const driver = layer.isBlockDevice ? 'host_device' : 'file';
  const file = { driver, filename: path, aio: disk.aio, ...both };
  const backing = below.length > 0 ? nodeOf(below, { ...options, isTop: false }) : undefined;
  const image = layer.format === 'qcow2' ? { backing: backing?.node ?? null } : {};
  return {
    words: [...words, ...(backing?.words ?? [])],
    node: { driver: layer.format, ...both, file, ...image },
  };
}
