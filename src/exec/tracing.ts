/** Writes what programs ask as a trace. */
import type { Handle, SimulatedMachine } from '../simulator/index.ts';
import {
  type CallOutcome,
  describeCall,
  outcomeOf,
  ThreadNames,
  type TraceHeader,
  type TraceRecord,
  traceVersion,
} from '../trace/index.ts';
import type { CpuIdentity } from './cpu-identity.ts';
import type { AnsweredCall, CallListener } from './dispatcher.ts';
import type { CommandExit } from './signals.ts';

const interrupted: CallOutcome = { interrupted: true };

export interface Tracing {
  readonly listener: CallListener;
  /** Writes how the command ended. */
  commandEnded(exit: CommandExit): void;
}

export function traceTo(
  writer: { write(record: TraceRecord): void },
  header: TraceHeader,
  nameOf: (handle: Handle) => string | undefined,
): Tracing {
  const threads = new ThreadNames();
  writer.write({ kind: 'header', version: traceVersion, ...header });
  return {
    listener: {
      opened: (thread, answer, made) => {
        const outcome = answer === 'interrupted' ? interrupted : outcomeOf(answer, made?.name);
        writer.write({ kind: 'open', thread: threads.nameOf(thread), outcome });
      },
      called: (call) =>
        writer.write({
          kind: 'call',
          ...callRecord(call, nameOf),
          thread: threads.nameOf(call.thread),
        }),
      // It came to no object of the simulated machine.
      unserved: () => {},
      closed: ({ name }) => writer.write({ kind: 'close', object: name }),
    },
    commandEnded: (exit) =>
      writer.write({
        kind: 'end',
        exit: exit.how === 'code' ? { status: exit.status } : { signal: exit.signal },
      }),
  };
}

/** What a trace says of its command first. */
export function commandHeader(
  command: readonly string[],
  { profile, kernelAbi }: SimulatedMachine,
  cpu: CpuIdentity | undefined,
): TraceHeader {
  const traced = cpu && { ...cpu, signature: `0x${cpu.signature.toString(16)}` };
  const header = { host: `sim:${profile.name}`, kernel: kernelAbi.name, command };
  return { ...header, ...(traced && { cpu: traced }) };
}

function callRecord(call: AnsweredCall, nameOf: (handle: Handle) => string | undefined) {
  const { file, request, copies, content, answer, made, delivered } = call;
  return {
    object: file.name,
    ...describeCall(request, copies, nameOf, { content }),
    outcome: delivered ? outcomeOf(answer, made?.name) : interrupted,
  };
}
