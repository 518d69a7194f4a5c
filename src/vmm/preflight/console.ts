/** Where the console goes: a file to write to, and a socket that QEMU may make. */
import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf } from '../../errors/errno.ts';
import type { QemuEngine } from '../../spec/trust-domain.ts';
import type { DeviceFinding, KernelFiles } from './finding.ts';
import { isListenedOn, tooLongForSocket } from './unix-sockets.ts';

export function consoleFindings(
  { logPath, socketPath }: QemuEngine['console'],
  kernel: KernelFiles,
): DeviceFinding[] {
  return [
    ...(logPath === undefined ? [] : logFindings(logPath)),
    ...(socketPath === undefined ? [] : socketFindings(socketPath, kernel)),
  ];
}

function logFindings(path: string): DeviceFinding[] {
  const field = 'spec.console.log';
  const found = look(path);
  // A pipe would be waited for until somebody reads it.
  if (found?.isDirectory() || found?.isFIFO() || found?.isSocket() || found?.isBlockDevice()) {
    const problem = `${path} is ${kindOf(found)}, and no file to write to`;
    return [{ field, problem, remedy: 'name a file' }];
  }
  return writeFindings(found === undefined ? dirname(path) : path, field);
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a directory';
  if (found.isBlockDevice()) return 'a block device';
  return found.isSocket() ? 'a socket' : 'a pipe';
}

function socketFindings(path: string, kernel: KernelFiles): DeviceFinding[] {
  const field = 'spec.console.socket';
  const at = (problem: string, remedy: string) => [{ field, problem, remedy }];
  const long = tooLongForSocket(path);
  if (long !== undefined) return at(long, 'name a shorter path');
  const found = look(path);
  // QEMU removes what has the name of its socket, whatever that is (util/qemu-sockets.c, unix_listen_saddr).
  if (found !== undefined && !found.isSocket()) {
    return at(`${path} is there and is no socket: QEMU would remove it`, 'name another path');
  }
  if (found !== undefined && isListenedOn(path, kernel)) {
    return at(`${path} is in use: somebody listens there`, 'give this TD a socket of its own');
  }
  return writeFindings(dirname(path), field);
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function writeFindings(target: string, field: string): DeviceFinding[] {
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
