import type { NativeError } from '../../../native/index.ts';
import type { CapabilityName } from '../../abi/kvm/capabilities.ts';
import { KvmError } from '../kvm-error.ts';
import { memoryNotMapped } from '../memory-not-mapped.ts';

/**
 * Awaits a call of the addon, and turns its refusals into the errors that every host throws.
 *
 * @param capability what KVM_ENABLE_CAP or KVM_CHECK_EXTENSION was asked for.
 */
export async function answered<Output>(
  call: Promise<Output>,
  capability?: CapabilityName,
): Promise<Output> {
  try {
    return await call;
  } catch (error) {
    throw translated(error, capability);
  }
}

/** The same of a call that is answered at once. */
export function answeredNow<Output>(call: () => Output): Output {
  try {
    return call();
  } catch (error) {
    throw translated(error, undefined);
  }
}

function translated(error: unknown, capability: CapabilityName | undefined): unknown {
  if (!isNativeError(error)) return error;
  if (error.request !== undefined) {
    const { request, errno, hwStatus } = error;
    return new KvmError({ request, capability, errno, hwStatus, cause: error });
  }
  if (error.syscall === 'fallocate') {
    return new KvmError({ request: 'fallocate', errno: error.errno, cause: error });
  }
  if (error.syscall !== 'mmap') return error;
  return memoryNotMapped(error.code, error);
}

function isNativeError(error: unknown): error is NativeError {
  return error instanceof Error && 'syscall' in error && 'errno' in error;
}
