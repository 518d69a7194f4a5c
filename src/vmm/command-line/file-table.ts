/** The files of a command, numbered in the order in which its elements ask for them. */
import type { ProgramAccess } from '../../files/index.ts';
import type { VmmFile } from './command.ts';

/** 0, 1 and 2 are taken. */
const firstFd = 3;

export class FileTable {
  readonly files: VmmFile[] = [];

  add(path: string, access: ProgramAccess): number {
    const fd = firstFd + this.files.length;
    this.files.push({ fd, path, access });
    return fd;
  }

  /** A path that leads to the opened file, for what QEMU opens by fopen() and the like. */
  path(path: string): string {
    return `/proc/self/fd/${this.add(path, 'read')}`;
  }

  /** The words that hand over the file, and the path by which qemu_open() finds it (util/osdep.c). */
  set(path: string, access: ProgramAccess) {
    const fd = this.add(path, access);
    return { words: ['-add-fd', `fd=${fd},set=${fd}`], path: `/dev/fdset/${fd}` };
  }
}
