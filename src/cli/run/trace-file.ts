/** `--trace FILE`: every call of a simulated host, its leaves, and the states that made them. */
import type { TdRunEvent } from '../../orchestrator/index.ts';
import {
  recordCalls,
  type StateRecord,
  type TraceFileOptions,
  type TraceHeader,
  TraceWriter,
  traceVersion,
} from '../../trace/index.ts';
import type { SimulatingHost } from '../open-host.ts';

export interface TraceFile {
  /** Notes a change of the chart between the calls. */
  note(event: TdRunEvent): void;
  /** Writes what is left, and closes the file. */
  end(): Promise<void>;
}

/**
 * An existing file is overwritten: a trace can always be made again. JSON lines where the name ends
 * in .jsonl, else text.
 *
 * @throws TdctlError TDCTL_E_NOT_WRITABLE, TDCTL_E_BUSY.
 */
export async function openTraceFile(
  host: SimulatingHost,
  { header, ...file }: TraceFileOptions & { readonly header: TraceHeader },
): Promise<TraceFile> {
  const writer = await TraceWriter.open(file);
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
    async end() {
      stop();
      if (outcome !== undefined) writer.write({ kind: 'end', exit: { outcome } });
      await writer.end();
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
