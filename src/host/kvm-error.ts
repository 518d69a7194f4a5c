import { type ErrnoName, errnoName, errnoNumbers } from '../abi/kvm/errno.ts';
import type { RequestName } from '../abi/kvm/requests.ts';
import { formatWord } from '../abi/tdx/status.ts';

export interface KvmErrorOptions {
  readonly request: RequestName;
  readonly errno: number;
  /** The SEAMCALL status that the kernel wrote back (`hw_error`), where there is one. */
  readonly hwStatus?: bigint | undefined;
  readonly cause?: unknown;
}

/** What every host throws when an ioctl is refused. */
export class KvmError extends Error {
  readonly request: RequestName;
  readonly errno: number;
  /** `EINVAL` and the like. */
  readonly code: string;
  readonly hwStatus: bigint | undefined;

  constructor(options: KvmErrorOptions) {
    const code = errnoName(options.errno);
    const status =
      options.hwStatus === undefined ? '' : ` (TDX status ${formatWord(options.hwStatus)})`;
    super(
      `${options.request}: ${code}${status}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'KvmError';
    this.request = options.request;
    this.errno = options.errno;
    this.code = code;
    this.hwStatus = options.hwStatus;
  }

  static of(request: RequestName, code: ErrnoName, hwStatus?: bigint): KvmError {
    return new KvmError({ request, errno: errnoNumbers[code], hwStatus });
  }
}
