/**
 * What a shared host and the process that starts a command on it say to each other, besides the fds that go over
 * another socket (docs/shared-host.md). That process is an operator there: its operations are the two below.
 */
import type { TraceRecord } from '../../trace/index.ts';
import type { MachineNames } from '../executed.ts';
import type { CommandExit } from '../signals.ts';

/** `execute`, which is over when all that the command started is gone; the answer is {@link Executed}. */
export interface ExecuteAsked {
  readonly command: readonly string[];
  /** A misc cgroup of the simulated machine. */
  readonly cgroup?: string | undefined;
  /** A RunScript, as the file has it. */
  readonly script?: { readonly text: string; readonly path: string } | undefined;
  /** Whether every call is told. */
  readonly trace: boolean;
}

/** What is told before the answer, in this order. */
export type ExecuteTold =
  /** The fds of {@link HeldCommand.pass} are waited for, with this text, on the other socket. */
  | { readonly ticket: string; readonly answeredBy: number }
  /** Calls are answered from now on, by the machine that these name. */
  | { readonly process: number; readonly machine: MachineNames }
  | { readonly record: TraceRecord }
  /** This process starts its guest again and again, though it has turned itself off in every way. */
  | { readonly restarts: number }
  /** No call is answered any more, for this reason: the command has to be ended. */
  | { readonly failed: unknown };

/** `commandEnded`: the parent of the command alone hears of its end. */
export interface CommandEndedTold {
  readonly ticket: string;
  readonly exit: CommandExit;
}

/** On the other socket: one line of JSON, with the fds. */
export interface FdsHandedOver {
  readonly ticket: string;
}
