/** Requests that the kernel refuses for the moment, with nothing begun or kept. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ErrnoName } from '../../abi/kvm/errno.ts';
import { KvmError } from '../../host/kvm-error.ts';
import type { Interruption } from '../interruption.ts';

const ATTEMPTS = 10;
const PAUSE_MS = 20;

/** @throws KvmError with how long it was repeated, where it is refused so to the end. */
export async function repeated(
  make: () => Promise<void>,
  { on, interruption }: { readonly on: ErrnoName; readonly interruption: Interruption },
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof KvmError) || error.code !== on) throw error;
      if (attempt === ATTEMPTS) throw error.after((attempt - 1) * PAUSE_MS);
      await delay(PAUSE_MS, undefined, { signal: interruption.signal });
    }
  }
}
