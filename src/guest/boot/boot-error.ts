import { TdctlError } from '../../errors/index.ts';

/** Says that this kernel or initrd cannot be started. `place` is the file, or the field that asks for it. */
export function bootInvalid(options: {
  readonly place: string;
  readonly message: string;
  readonly hint: string;
}): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_BOOT_INVALID',
    op: 'prepare the start of a kernel',
    ...options,
  });
}
