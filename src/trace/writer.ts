/** The writer makes the file of `tdctl exec --trace FILE`. */
import { StreamFile, type StreamFileOptions } from '../files/index.ts';
import { traceJsonLine } from './json.ts';
import type { TraceRecord } from './record.ts';
import { traceText } from './text.ts';

export interface TraceFileOptions {
  readonly path: string;
  /** Is told once, at the first write that fails. The trace ends there, with a whole record. */
  readonly onFailure: StreamFileOptions['onFailure'];
  /** Ends the wait for a reader of a FIFO. */
  readonly signal?: AbortSignal | undefined;
}

/** Writing neither waits nor throws, because what is traced must not change for a full disk. */
export class TraceWriter {
  readonly #file: StreamFile;
  readonly #format: (record: TraceRecord) => string;

  /**
   * Writes JSON lines where the name ends in .jsonl, otherwise text. An existing file is overwritten.
   * @throws TdctlError TDCTL_E_NOT_WRITABLE, TDCTL_E_BUSY.
   */
  static async open(options: TraceFileOptions): Promise<TraceWriter> {
    const file = { ...options, what: 'trace', existing: 'overwrite', flush: 'idle' } as const;
    return new TraceWriter(await StreamFile.open(file), options);
  }

  private constructor(file: StreamFile, { path }: TraceFileOptions) {
    this.#file = file;
    this.#format = path.endsWith('.jsonl') ? traceJsonLine : traceText;
  }

  write(record: TraceRecord): void {
    this.#file.write(this.#format(record));
  }

  /** Writes what is left, and closes the file. It may be called again. */
  end(): Promise<void> {
    return this.#file.end();
  }
}
