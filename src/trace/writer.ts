/** The writer makes the file of `tdctl exec --trace FILE`. */
import { LineFile } from '../documents/line-file.ts';
import { traceJsonLine } from './json.ts';
import type { TraceRecord } from './record.ts';
import { traceText } from './text.ts';

/**
 * Writing neither waits nor throws. Instead, `end()` throws TDCTL_E_NOT_WRITABLE if anything was lost.
 */
export class TraceWriter {
  readonly #file: LineFile;
  readonly #format: (record: TraceRecord) => string;

  /**
   * Writes JSON lines where the name ends in .jsonl, otherwise text. An existing file is overwritten.
   * @throws TdctlError TDCTL_E_NOT_WRITABLE.
   */
  constructor(path: string) {
    this.#file = new LineFile({ path, what: 'trace' });
    this.#format = path.endsWith('.jsonl') ? traceJsonLine : traceText;
  }

  write(record: TraceRecord): void {
    this.#file.write(this.#format(record));
  }

  end(): void {
    this.#file.end();
  }
}
