/** Files of the kernel, which are there before anybody writes to them, and take one write as one request. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';

/** @throws the error of the system call: ENOENT where the kernel has no such file. */
export function writeKernelFile(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}
