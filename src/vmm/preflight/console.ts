/** Where the console goes: a directory to write into, and a path that a socket can have. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../../errors/errno.ts';
import { longestSocketPathBytes } from '../../files/socket-path.ts';
import type { QemuEngine } from '../../spec/trust-domain.ts';
import type { DeviceFinding } from './finding.ts';

export function consoleFindings({ logPath, socketPath }: QemuEngine['console']): DeviceFinding[] {
  return [
    ...(logPath === undefined ? [] : writeFindings(logPath, 'spec.console.log')),
    ...(socketPath === undefined ? [] : socketFindings(socketPath, 'spec.console.socket')),
  ];
}

function writeFindings(path: string, field: string): DeviceFinding[] {
  const target = existsSync(path) ? path : dirname(path);
  try {
    accessSync(target, constants.W_OK);
    return [];
  } catch (error) {
    const errno = errnoOf(error);
    const problem =
      errno === 'ENOENT'
        ? `there is no directory ${target}`
        : `this user may not write ${target} (${errno})`;
    return [{ field, problem, remedy: 'name a file in a directory that this user may write to' }];
  }
}

function socketFindings(path: string, field: string): DeviceFinding[] {
  const bytes = Buffer.byteLength(path);
  if (bytes <= longestSocketPathBytes) return writeFindings(path, field);
  const problem = `its path has ${bytes} bytes, and that of a UNIX socket has at most ${longestSocketPathBytes}`;
  return [{ field, problem, remedy: 'name a shorter path' }];
}
