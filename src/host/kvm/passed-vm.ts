import type { PassedFd } from '../../../native/index.ts';
import type { VmFile } from '../port.ts';

/** The VM of another process, which KVM lets this one name as the source of a move, and close. */
export class PassedVm implements VmFile {
  readonly native: PassedFd;

  constructor(native: PassedFd) {
    this.native = native;
  }

  close(): Promise<void> {
    return this.native.close();
  }
}
