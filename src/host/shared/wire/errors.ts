/** What a port may throw, as data: the other side throws the same. */
import type { TdctlErrorCode } from '../../../errors/index.ts';
import { errorKinds, TdctlError } from '../../../errors/index.ts';
import { KvmError } from '../../kvm-error.ts';

interface ErrorFields {
  readonly kind: 'kvm' | 'tdctl' | 'range' | 'type' | 'other';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function encodeError(error: Error): ErrorFields {
  const { message } = error;
  if (error instanceof KvmError) {
    const { request, capability, errno, hwStatus, check, leaf, repeatedMs } = error;
    const fields = { request, capability, errno, hwStatus, check, leaf, repeatedMs };
    return { kind: 'kvm', message, fields };
  }
  if (error instanceof TdctlError) {
    const { code, op, hint, place, details } = error;
    return { kind: 'tdctl', message, fields: { code, op, hint, place, details } };
  }
  const kind =
    error instanceof RangeError ? 'range' : error instanceof TypeError ? 'type' : 'other';
  return { kind, message, fields: {} };
}

export function decodeError(value: unknown): Error {
  const { kind, message, fields } = value as ErrorFields;
  switch (kind) {
    case 'kvm':
      return new KvmError(fields as unknown as ConstructorParameters<typeof KvmError>[0]);
    case 'tdctl': {
      const { code, ...others } = fields as unknown as {
        readonly code: TdctlErrorCode;
        op: string;
      };
      // A newer tdctl may have codes that this one does not know.
      const known = Object.hasOwn(errorKinds, code) ? code : 'TDCTL_E_IOCTL';
      return new TdctlError({ ...others, message, code: known });
    }
    case 'range':
      return new RangeError(message);
    case 'type':
      return new TypeError(message);
    default:
      return new Error(message);
  }
}
