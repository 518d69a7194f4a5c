/** Devices, FIFOs and sockets are opened so that nothing waits in the kernel, where no signal could end it. */
import { constants, openSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { errnoOf } from '../errors/errno.ts';
import { interruptedWaiting, type OutputFile } from './not-writable.ts';

/** A FIFO has so long to get a reader. */
const patienceMs = 10_000;
const retryMs = 20;

const { O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants;

/**
 * @param signal ends the wait for a reader of a FIFO
 * @throws TdctlError TDCTL_E_INTERRUPTED; else the error of the system call, ENXIO where no reader came.
 */
export async function openSpecial(
  file: OutputFile,
  { path, isFifo, signal }: { path: string; isFifo: boolean; signal: AbortSignal | undefined },
): Promise<number> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return openSync(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY);
    } catch (error) {
      const mayCome = isFifo && errnoOf(error) === 'ENXIO' && performance.now() < deadline;
      if (!mayCome) throw error;
    }
    if (signal?.aborted) throw interruptedWaiting(file);
    await after(retryMs);
  }
}
