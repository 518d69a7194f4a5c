/** `--trace FILE`: every call of a simulated host, a line each. */
import { LineFile } from '../../documents/line-file.ts';
import { traceJson, traceLine } from '../../simulator/index.ts';
import type { SimulatingHost } from '../open-host.ts';

export interface TraceFile {
  /**
   * Writes what is left, and closes the file.
   *
   * @throws TdctlError TDCTL_E_NOT_WRITABLE if anything could not be written.
   */
  end(): void;
}

/**
 * An existing file is overwritten: a trace can always be made again. JSON lines where the name ends
 * in .jsonl, else text.
 *
 * @throws TdctlError TDCTL_E_NOT_WRITABLE.
 */
export function openTraceFile(host: SimulatingHost, path: string): TraceFile {
  const file = new LineFile({ path, what: 'trace' });
  const format = path.endsWith('.jsonl') ? traceJson : traceLine;
  const stop = host.onCall((event) => file.write(format(event)));
  return {
    end() {
      stop();
      file.end();
    },
  };
}
