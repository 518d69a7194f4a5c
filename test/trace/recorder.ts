/** The trace of a simulated machine as `tdctl exec` would write it, without a program in between. */

import type { SimulatedMachine } from '../../src/simulator/index.ts';
import { recordCalls, type TraceRecord, traceVersion } from '../../src/trace/index.ts';

/** Every call and leaf from now on, a record each; it grows with every call. */
export function recordAll(machine: SimulatedMachine): TraceRecord[] {
  const records: TraceRecord[] = [];
  recordCalls(
    (listener) => machine.listen(listener),
    (record) => records.push(record),
  );
  return records;
}

/** @returns the records so far; it grows with every call. */
export function recordTrace(machine: SimulatedMachine, host = 'sim:spr-1.5'): TraceRecord[] {
  const kernel = machine.kernelAbi.name;
  const records: TraceRecord[] = [
    { kind: 'header', version: traceVersion, host, kernel, command: ['vmm', '-m', '512'] },
  ];
  recordCalls(
    (listener) => machine.listen(listener),
    (record) => {
      if (record.kind === 'seamcall') return;
      const { durationNs: _, ...untimed } = { durationNs: 0, ...record };
      records.push(untimed);
    },
  );
  return records;
}
