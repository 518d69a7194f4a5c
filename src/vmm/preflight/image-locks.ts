/**
 * Who else has an image open, by QEMU's own locks (block/file-posix.c): for each permission that it uses it has a lock on
 * byte 100 + bit, and for each that it does not share, on byte 200 + bit. qemu-img does the same.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { KernelFiles } from './finding.ts';

/** BLK_PERM_WRITE and BLK_PERM_RESIZE are bits 1 and 3 (include/block/block-common.h). */
const writes = [101, 103];
const sharesNoWrites = [201, 203];

export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

export interface LockedBytes {
  readonly first: number;
  /** Infinity: to the end of the file. */
  readonly last: number;
}

/** A line of /proc/locks, or of a process's fdinfo: `1: OFDLCK ADVISORY READ -1 fd:01:1234 100 101`. */
const lockLine =
  /: (?:OFDLCK|POSIX) +\S+ +\S+ +-?\d+ ([0-9a-f]+):([0-9a-f]+):(\d+) (\d+) (\d+|EOF)/g;

/** The locks on a file among such lines. */
export function locksOn({ dev, ino }: FileIdentity, text: string): LockedBytes[] {
  return [...text.matchAll(lockLine)].flatMap(([, major, minor, inode, first, last]) => {
    const isSame = BigInt(inode ?? 0) === ino && deviceNumber(`0x${major}`, `0x${minor}`) === dev;
    return isSame
      ? [{ first: Number(first), last: last === 'EOF' ? Number.POSITIVE_INFINITY : Number(last) }]
      : [];
  });
}

/** makedev() of glibc: the minor number is around the major. */
function deviceNumber(majorText: string, minorText: string): bigint {
  const [major, minor] = [BigInt(majorText), BigInt(minorText)];
  return (
    ((major & 0xfff_f000n) << 32n) |
    ((major & 0xfffn) << 8n) |
    ((minor & 0xffff_ff00n) << 12n) |
    (minor & 0xffn)
  );
}

/** Whether QEMU would be refused: "Failed to get "write" lock". */
export function isInTheWay(locks: readonly LockedBytes[], { readOnly }: { readOnly: boolean }) {
  const bytes = readOnly ? writes : [...writes, ...sharesNoWrites];
  return locks.some(({ first, last }) => bytes.some((byte) => first <= byte && byte <= last));
}

/** Who has such a lock, as far as this user may look: the locks of an opened file belong to no process. */
export function holdersOf(file: FileIdentity, { proc }: KernelFiles): string[] {
  return readdirSync(proc).flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const fds = readdirSync(`${proc}/${pid}/fdinfo`);
      const has = fds.some(
        (fd) => locksOn(file, readFileSync(`${proc}/${pid}/fdinfo/${fd}`, 'utf8')).length > 0,
      );
      return has ? [`${readFileSync(`${proc}/${pid}/comm`, 'utf8').trim()} (PID ${pid})`] : [];
    } catch {
      return [];
    }
  });
}
