/** `--trace FILE`: every call of a simulated host, its leaves, and the states that made them. */
import type { TdRunEvent } from '../../orchestrator/index.ts';
import {
  recordCalls,
  type StateRecord,
  type TraceHeader,
  TraceWriter,
  traceVersion,
} from '../../trace/index.ts';
import type { SimulatingHost } from '../open-host.ts';

export interface TraceFile {
  /** Notes a change of the chart between the calls. */
  note(event: TdRunEvent): void;
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
export function openTraceFile(
  host: SimulatingHost,
  { path, header }: { readonly path: string; readonly header: TraceHeader },
): TraceFile {
  const writer = new TraceWriter(path);
  writer.write({ kind: 'header', version: traceVersion, ...header });
  const stop = recordCalls(
    (listener) => host.onCall(listener),
    (record) => writer.write(record),
  );
  let outcome: string | undefined;
  return {
    note(event) {
      if (event.event === 'td.ended') outcome = event.outcome;
      const record = stateRecord(event);
      if (record !== undefined) writer.write(record);
    },
    end() {
      stop();
      if (outcome !== undefined) writer.write({ kind: 'end', exit: { outcome } });
      writer.end();
    },
  };
}

/** Without times: they are the tool's own, and never twice the same. */
function stateRecord(event: TdRunEvent): StateRecord | undefined {
  const { td, machine, machineVersion, state } = event;
  const about = { kind: 'event', td, machine, machineVersion, state } as const;
  switch (event.event) {
    case 'state.entered':
      return { ...about, event: event.event, transitions: event.transitions };
    case 'step.ended':
      return { ...about, event: event.event, step: event.step, result: event.result };
    case 'td.ended':
      return { ...about, event: event.event, outcome: event.outcome };
    default:
      return undefined;
  }
}
