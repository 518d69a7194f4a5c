/** In JSON lines, a trace has each record as it is. */
import type { TraceRecord } from './record.ts';

export function traceJsonLine(record: TraceRecord): string {
  return JSON.stringify(record);
}
