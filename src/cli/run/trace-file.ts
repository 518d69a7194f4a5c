/** `--trace FILE`: every call of a simulated host, a line each, and the states that made them. */
import { LineFile } from '../../documents/line-file.ts';
import type { TdRunEvent } from '../../orchestrator/index.ts';
import { traceJson, traceLine } from '../../simulator/index.ts';
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
export function openTraceFile(host: SimulatingHost, path: string): TraceFile {
  const file = new LineFile({ path, what: 'trace' });
  const [callText, chartText] = path.endsWith('.jsonl')
    ? [traceJson, chartJson]
    : [traceLine, chartLine];
  const stop = host.onCall((event) => file.write(callText(event)));
  return {
    note(event) {
      if (isOfChart(event)) file.write(chartText(event));
    },
    end() {
      stop();
      file.end();
    },
  };
}

type ChartEvent = Extract<TdRunEvent, { event: 'state.entered' | 'step.ended' | 'td.ended' }>;

function isOfChart(event: TdRunEvent): event is ChartEvent {
  return ['state.entered', 'step.ended', 'td.ended'].includes(event.event);
}

/** What `tdctl graph --coverage` reads. Without times: they are the tool's own, and never twice the same. */
function chartJson(event: ChartEvent): string {
  const { td, machine, machineVersion, state, event: name } = event;
  const about = { kind: 'event', td, machine, machineVersion, state, event: name };
  switch (event.event) {
    case 'state.entered':
      return JSON.stringify({ ...about, transitions: event.transitions });
    case 'step.ended':
      return JSON.stringify({ ...about, step: event.step, result: event.result });
    case 'td.ended':
      return JSON.stringify({ ...about, outcome: event.outcome });
  }
}

function chartLine(event: ChartEvent): string {
  switch (event.event) {
    case 'state.entered':
      return `-- ${event.td} -> ${event.state}`;
    case 'step.ended':
      return `-- ${event.td} ${event.step} ${event.result}`;
    case 'td.ended':
      return `-- ${event.td} ended ${event.outcome}`;
  }
}
