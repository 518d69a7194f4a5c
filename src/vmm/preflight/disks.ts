/** Disks: there, of the format that the file says, for this user, and in nobody else's use. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readUpTo } from '../../documents/read-bytes.ts';
import { errnoOf } from '../../errors/errno.ts';
import type { Disk } from '../../spec/trust-domain.ts';
import type { DiskLayer } from '../command-line/index.ts';
import type { DeviceFinding, KernelFiles } from './finding.ts';
import { holdersOf, isInTheWay, locksOn } from './image-locks.ts';
import { type Qcow2Header, qcow2Header } from './qcow2-header.ts';

export interface LookedAtDisk {
  readonly layers: readonly DiskLayer[];
  readonly findings: readonly DeviceFinding[];
}

/** QEMU has no bound; a chain of more is a circle, or nobody's intention. */
const deepest = 32;
const headBytes = 64 * 1024;
const sectorBytes = 512;

interface Layer {
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
  readonly readOnly: boolean;
}

export async function lookAtDisk(
  disk: Disk,
  { field, kernel }: { readonly field: string; readonly kernel: KernelFiles },
): Promise<LookedAtDisk> {
  const layers: DiskLayer[] = [];
  const at = (problem: string, remedy: string, name = 'path'): LookedAtDisk => ({
    layers,
    findings: [{ field: `${field}.${name}`, problem, remedy }],
  });
  let layer: Layer | undefined = disk;
  while (layer !== undefined) {
    const { path, format } = layer;
    const isTop = layers.length === 0;
    const named = isTop ? path : `its backing file ${path}`;
    if (layers.length >= deepest) {
      return at(
        `has a chain of more than ${deepest} backing files`,
        'look at it: qemu-img info --backing-chain',
      );
    }
    const access = accessProblem(layer);
    if (access !== undefined) return at(`${named}: ${access.problem}`, access.remedy);
    const stat = statSync(path, { bigint: true });
    if (!stat.isFile() && !stat.isBlockDevice()) {
      return at(`${named} is neither a file nor a block device`, 'name an image or a block device');
    }
    layers.push({ path, format, isBlockDevice: stat.isBlockDevice() });
    if (isTop && format === 'raw' && stat.isFile() && stat.size < sectorBytes) {
      return at(
        `${path} has ${stat.size} bytes, and a disk has at least one sector of ${sectorBytes}`,
        'make it as large as the disk shall be: truncate -s 10G FILE',
      );
    }
    const header = qcow2Header(await readUpTo(path, headBytes));
    const wrong = formatProblem(layer, header, { isTop, named });
    if (wrong !== undefined) return at(wrong.problem, wrong.remedy, isTop ? wrong.name : 'path');
    const locks = locksOn(stat, readFileSync(`${kernel.proc}/locks`, 'utf8'));
    if (isInTheWay(locks, layer)) {
      const holders = holdersOf(stat, kernel);
      const who =
        holders.length > 0 ? holders.join(', ') : 'a process that this user may not look into';
      return at(
        `${named} is in use: ${who} has QEMU's lock on it`,
        'stop what uses it, or give this TD an image of its own (qemu-img create -b)',
      );
    }
    layer = backingLayer(path, header);
  }
  return { layers, findings: [] };
}

const noPath: Readonly<Record<string, string>> = {
  ENAMETOOLONG: 'that is longer than a path may be (ENAMETOOLONG)',
  ELOOP: 'its symbolic links lead in a circle (ELOOP)',
};

function accessProblem({ path, readOnly }: Layer) {
  const mode = readOnly ? constants.R_OK : constants.R_OK | constants.W_OK;
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      return {
        problem: 'there is no such file',
        remedy: 'name an image that is there, or make one: qemu-img create',
      };
    }
    const unreachable = noPath[errno ?? ''];
    if (unreachable !== undefined) return { problem: unreachable, remedy: 'name another path' };
    const remedy = readOnly
      ? 'give this user the right to read it'
      : 'give this user the right to write it, or say `readOnly: true`';
    return { problem: `this user may not ${readOnly ? 'read' : 'write'} it (${errno})`, remedy };
  }
}

function formatProblem(
  { format, path }: Layer,
  header: Qcow2Header | undefined,
  { isTop, named }: { readonly isTop: boolean; readonly named: string },
) {
  if (format === 'raw' && header !== undefined && isTop) {
    return {
      name: 'path',
      problem: `${path} is a qcow2, and the guest would see that as it is: its format is raw here`,
      remedy: 'say `format: qcow2`',
    };
  }
  if (format !== 'qcow2') return undefined;
  const remedy = 'look at it: qemu-img info';
  if (header === undefined) return { name: 'format', problem: `${named} is no qcow2`, remedy };
  if (header.isEncrypted)
    return { name: 'path', problem: `${named} is encrypted, for which there is no field`, remedy };
  if (header.hasExternalData) {
    return {
      name: 'path',
      problem: `${named} has its data in another file, for which there is no field`,
      remedy,
    };
  }
  if (header.backing !== undefined && header.backing.format === undefined) {
    return {
      name: 'path',
      problem: `${named} does not say of which format its backing file is, and it is not guessed`,
      remedy: 'say it: qemu-img rebase -u -b FILE -F FORMAT IMAGE',
    };
  }
  // path_has_protocol() of block.c: such a name is of a driver of QEMU.
  const protocol = /^[^/:]+:/.exec(header.backing?.path ?? '')?.[0];
  if (protocol !== undefined) {
    const problem = `${named} has a backing file that is no file (${protocol}), for which there is no field`;
    return { name: 'path', problem, remedy };
  }
  const format_ = header.backing?.format;
  if (format_ !== undefined && format_ !== 'raw' && format_ !== 'qcow2') {
    return {
      name: 'path',
      problem: `${named} has a backing file of format ${format_}; raw and qcow2 can be had`,
      remedy,
    };
  }
  return undefined;
}

/** Its path is relative to the image that names it. */
function backingLayer(path: string, header: Qcow2Header | undefined): Layer | undefined {
  const { backing } = header ?? {};
  if (backing === undefined) return undefined;
  const format = backing.format === 'raw' ? 'raw' : 'qcow2';
  return { path: resolve(dirname(path), backing.path), format, readOnly: true };
}
