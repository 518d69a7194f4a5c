/** UNIX sockets that QEMU connects to, or makes: whoever serves one client may not be connected to for a look. */
import { readFileSync, statSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import { longestSocketPathBytes } from '../../files/socket-path.ts';
import type { KernelFiles } from './finding.ts';

/** SO_ACCEPTCON in the flags of /proc/net/unix (net/unix/af_unix.c, unix_seq_show). */
const acceptsConnections = 0x10000;

/** QEMU does not go around the limit of the kernel. */
export function tooLongForSocket(path: string): string | undefined {
  const bytes = Buffer.byteLength(path);
  if (bytes <= longestSocketPathBytes) return undefined;
  return `its path has ${bytes} bytes, and that of a UNIX socket has at most ${longestSocketPathBytes}`;
}

/** Whether anybody listens on a socket that is there, by the kernel's own list. */
export function isListenedOn(path: string, { proc }: KernelFiles): boolean {
  const lines = readFileSync(`${proc}/net/unix`, 'utf8').split('\n');
  return lines.some((line) => {
    const [, , , flags, , , , ...name] = line.split(' ').filter((word) => word !== '');
    const listens = (Number.parseInt(flags ?? '0', 16) & acceptsConnections) !== 0;
    return listens && isSame(name.join(' '), path);
  });
}

/** The kernel has the name as it was bound: by way of a symbolic link, or relative to a directory that it does not tell. */
function isSame(bound: string, path: string): boolean {
  if (bound === path) return true;
  if (!isAbsolute(bound)) return basename(bound) === basename(path);
  if (basename(bound) !== basename(path)) return false;
  const [one, other] = [bound, path].map((each) => statSync(each, { throwIfNoEntry: false }));
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino;
}
