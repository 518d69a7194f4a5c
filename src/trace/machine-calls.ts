/**
 * The records of a trace are made from what is asked of a simulated machine: its ioctls, and the leaves
 * that they cause.
 */
import type { FileKind, SeamcallEvent, TraceListener } from '../simulator/index.ts';
import { describeCall, outcomeOf } from './describe.ts';
import { leafArgs } from './leaf-args.ts';
import { kindsInNames, ObjectNames } from './names.ts';
import type { SeamcallRecord, TraceRecord } from './record.ts';
import { hex } from './values.ts';

/** How a machine is told of that others drive; one that this process drives has one thread, which calls. */
export interface Callers {
  /** By the address space that asked. */
  threadOf(mm: number | undefined): string;
  /** Of a file that was there before the recording began. */
  kindOf(handle: number): FileKind | undefined;
}

const thisProcess: Callers = { threadOf: () => 'T0', kindOf: () => undefined };

/**
 * Writes every call from now on, and each leaf before the call that made it. The function that it
 * returns ends that.
 */
export function recordCalls(
  listen: (listener: TraceListener) => () => void,
  write: (record: TraceRecord) => void,
  { threadOf, kindOf }: Callers = thisProcess,
): () => void {
  const names = new ObjectNames();
  /** Whoever drives a machine has opened /dev/kvm before the recording began. */
  const opened = (handle: number, thread: string) => {
    const kind = kindOf(handle) ?? 'system';
    const made = names.add(kindsInNames[kind], handle);
    if (kind === 'system') write({ kind: 'open', thread, outcome: { value: 0, made } });
    return made;
  };
  return listen((event) => {
    if (event.kind === 'seamcall') {
      write(leafRecord(event));
      return;
    }
    const { handle, durationNs, mm } = event;
    const thread = threadOf(mm);
    const known = names.nameOf(handle);
    if (event.kind === 'release') {
      names.forget(handle);
      if (known !== undefined) write({ kind: 'close', object: known, durationNs });
      return;
    }
    const { request, copies, answer } = event;
    const isClosed = !answer.ok && answer.check === 'file.closed';
    const object = known ?? (isClosed ? `closed#${handle}` : opened(handle, thread));
    const call = describeCall(request, copies, (other) => names.nameOf(other));
    const file = answer.ok ? answer.made : undefined;
    const made = file && names.add(kindsInNames[file.kind], file.handle);
    const outcome = outcomeOf(answer, made);
    write({ kind: 'call', thread, object, ...call, outcome, durationNs });
  });
}

function leafRecord({ leaf, ...event }: SeamcallEvent): SeamcallRecord {
  return {
    kind: 'seamcall',
    cpu: event.logicalCpu,
    leaf,
    operands: leafArgs(event.operands),
    status: hex(event.status),
    ...(event.check === undefined ? {} : { check: event.check }),
    outputs: leafArgs(event.outputs),
    durationNs: event.durationNs,
  };
}
