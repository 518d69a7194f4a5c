import { TdctlError } from '../errors/index.ts';

/** Says that the image cannot start a TD. `place` is the file, where there is one. */
export function firmwareInvalid(options: {
  readonly place: string | undefined;
  readonly message: string;
  readonly hint?: string;
  readonly details?: readonly string[];
}): TdctlError {
  return new TdctlError({ code: 'TDCTL_E_FIRMWARE_INVALID', op: 'read firmware', ...options });
}
