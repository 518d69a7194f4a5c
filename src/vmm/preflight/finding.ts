/** What of the host stands against a TD with devices, found before its key slot is taken. */

export interface DeviceFinding {
  /** `spec.disks.0.path`. */
  readonly field: string;
  /** A clause that follows the field. */
  readonly problem: string;
  readonly remedy: string;
}

/** What of the kernel's files is read: tests have their own. */
export interface KernelFiles {
  /** Stands for /sys and /proc. */
  readonly sys: string;
  readonly proc: string;
  readonly dev: string;
}

export const kernelFiles: KernelFiles = { sys: '/sys', proc: '/proc', dev: '/dev' };
