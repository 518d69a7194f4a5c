import { errnoName } from '../abi/errno.ts';
import type { CapabilityName } from '../abi/kvm/capabilities.ts';
import { type ErrnoName, errnoNumbers } from '../abi/kvm/errno.ts';
import { type RequestName, requestWith } from '../abi/kvm/requests.ts';
import { formatWord } from '../abi/tdx/status.ts';

export interface KvmErrorOptions {
  readonly request: RequestName;
  /** The capability that KVM_ENABLE_CAP or KVM_CHECK_EXTENSION was asked for. */
  readonly capability?: CapabilityName | undefined;
  readonly errno: number;
  /** The SEAMCALL status that the kernel wrote into `hw_error`, where it wrote one. */
  readonly hwStatus?: bigint | undefined;
  /** The stable name of the kernel's check that refused. Only simulated hosts know it. */
  readonly check?: string | undefined;
  /** The leaf of the TDX module whose status was the reason. Only simulated hosts know it. */
  readonly leaf?: { readonly name: string; readonly status: bigint } | undefined;
  /** For so many milliseconds the request was repeated before it was given up. */
  readonly repeatedMs?: number | undefined;
  readonly cause?: unknown;
}

/** What every host throws when an ioctl is refused. */
export class KvmError extends Error {
  readonly request: RequestName;
  readonly capability: CapabilityName | undefined;
  readonly errno: number;
  /** `EINVAL` and the like. */
  readonly code: string;
  readonly hwStatus: bigint | undefined;
  readonly check: string | undefined;
  readonly leaf: KvmErrorOptions['leaf'];
  readonly repeatedMs: number | undefined;

  constructor(options: KvmErrorOptions) {
    const code = errnoName(options.errno);
    const status =
      options.hwStatus === undefined ? '' : ` (TDX status ${formatWord(options.hwStatus)})`;
    super(
      `${requestWith(options.request, options.capability)}: ${code}${status}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'KvmError';
    this.request = options.request;
    this.capability = options.capability;
    this.errno = options.errno;
    this.code = code;
    this.hwStatus = options.hwStatus;
    this.check = options.check;
    this.leaf = options.leaf;
    this.repeatedMs = options.repeatedMs;
  }

  /** The same refusal of a request that was repeated for so long. */
  after(repeatedMs: number): KvmError {
    const { request, capability, errno, hwStatus, check, leaf, cause } = this;
    return new KvmError({ request, capability, errno, hwStatus, check, leaf, cause, repeatedMs });
  }

  static of(request: RequestName, code: ErrnoName, hwStatus?: bigint): KvmError {
    return new KvmError({ request, errno: errnoNumbers[code], hwStatus });
  }
}
