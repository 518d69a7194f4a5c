import { type Addon, addonRemedy, loadAddon } from '../../../native/index.ts';
import { TdctlError } from '../../errors/index.ts';

/** @throws TdctlError TDCTL_E_HOST_UNSUPPORTED */
export function requireAddon(): Addon {
  const native = loadAddon();
  if (native.available) return native.addon;
  throw new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'supervise a command',
    message:
      'the native addon cannot be loaded, and only it can answer the system calls of a program',
    details: native.tried.map(({ path, reason }) => `${path}: ${reason}`),
    hint: addonRemedy(),
  });
}
