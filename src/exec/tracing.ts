/** Writes what programs ask as a trace. */
import type { Handle } from '../simulator/index.ts';
import {
  type CallOutcome,
  describeCall,
  outcomeOf,
  ThreadNames,
  type TraceHeader,
  type TraceWriter,
  traceVersion,
} from '../trace/index.ts';
import type { AnsweredCall, CallListener } from './dispatcher.ts';
import type { CommandExit } from './execute.ts';

const interrupted: CallOutcome = { interrupted: true };

export interface Tracing {
  readonly listener: CallListener;
  /** Writes what is left, and how the command ended. */
  end(exit: CommandExit): Promise<void>;
}

export function traceTo(
  writer: TraceWriter,
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
    end: async (exit) => {
      writer.write({
        kind: 'end',
        exit: exit.how === 'code' ? { status: exit.status } : { signal: exit.signal },
      });
      await writer.end();
    },
  };
}

function callRecord(call: AnsweredCall, nameOf: (handle: Handle) => string | undefined) {
  const { file, request, copies, content, answer, made, delivered } = call;
  return {
    object: file.name,
    ...describeCall(request, copies, nameOf, { content }),
    outcome: delivered ? outcomeOf(answer, made?.name) : interrupted,
  };
}
