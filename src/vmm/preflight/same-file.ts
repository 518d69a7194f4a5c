/** Files that a TD would use twice: QEMU refuses some of that when the key slot is taken, and none where it is its own log. */
import { statSync } from 'node:fs';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import type { DiskLayer } from '../command-line/index.ts';
import type { DeviceFinding } from './finding.ts';

interface Use {
  readonly field: string;
  readonly path: string;
  readonly writes: boolean;
}

/** By what they are and not by their names: links lead to the same file. */
export function sameFileFindings(
  spec: TrustDomain,
  disks: readonly (readonly DiskLayer[])[],
): DeviceFinding[] {
  const uses = usesOf(spec, disks).flatMap((use) => {
    const identity = identityOf(use.path);
    return identity === undefined ? [] : [{ ...use, identity }];
  });
  return uses.flatMap((use, index) => {
    const other = uses
      .slice(0, index)
      .find(
        ({ field, identity, writes }) =>
          identity === use.identity && field !== use.field && (writes || use.writes),
      );
    if (other === undefined) return [];
    const who = use.writes === other.writes ? 'both write' : 'one of the two writes';
    const problem = `${use.path} is the same file as that of ${other.field}, and ${who} to it`;
    return [{ field: use.field, problem, remedy: 'give each a file of its own' }];
  });
}

function usesOf(
  { firmware, boot, engine }: TrustDomain,
  disks: readonly (readonly DiskLayer[])[],
): readonly Use[] {
  if (engine.kind !== 'qemu') return [];
  const read = (field: string, path: string | undefined): Use[] =>
    path === undefined ? [] : [{ field, path, writes: false }];
  const { logPath } = engine.console;
  return [
    ...read('spec.firmware', firmware.path),
    ...read('spec.boot.kernel', boot?.kernelPath),
    ...read('spec.boot.initrd', boot?.initrdPath),
    ...disks.flatMap((layers, index) =>
      layers.map(({ path }, depth) => ({
        field: `spec.disks.${index}.path`,
        path,
        // Only the top layer is written to.
        writes: depth === 0 && engine.disks[index]?.readOnly === false,
      })),
    ),
    ...(logPath === undefined ? [] : [{ field: 'spec.console.log', path: logPath, writes: true }]),
  ];
}

/** A terminal and the like may be written to by many. */
function identityOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || !(stat.isFile() || stat.isBlockDevice())) return undefined;
  return stat.isBlockDevice() ? `device ${stat.rdev}` : `${stat.dev}:${stat.ino}`;
}
