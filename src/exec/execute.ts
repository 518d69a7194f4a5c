/** Runs a command whose /dev/kvm is a simulated machine of this process, until it and all it started are gone. */
import { constants } from 'node:os';
import type { SupervisorClass } from '../../native/index.ts';
import type { GuestScript, SimulatedMachine } from '../simulator/index.ts';
import { answerCalls, type Failure } from './answering.ts';
import { constantAnswers } from './constant-answers.ts';
import type { CallListener } from './dispatcher.ts';
import { launchRefused } from './launch-refused.ts';
import type { ProgramFile } from './program-files.ts';
import type { CommandExit } from './signals.ts';

export interface ExecuteOptions {
  readonly command: readonly string[];
  /** Fds that it gets besides its standard streams, by the numbers that they have here. */
  readonly fds?: readonly number[] | undefined;
  readonly machine: SimulatedMachine;
  /** What its guests do, in place of the machine's own script. */
  readonly guest?: GuestScript | undefined;
  readonly supervisor: SupervisorClass;
  readonly listener: CallListener;
  /** See `DispatcherOptions`. */
  readonly hears: 'all' | 'needed';
}

export interface RunningCommand {
  readonly pid: number;
  /** Sends the command a signal. False means that the command has ended. */
  signal(name: NodeJS.Signals): boolean;
  /** Kills the command and all that it started. */
  endAll(): void;
  /** The end of the command; programs that it started may go on. */
  readonly exited: Promise<CommandExit>;
  /** The end of everything, and what went wrong before it. */
  readonly ended: Promise<Failure | undefined>;
}

export interface ExecutedCommand extends RunningCommand {
  openFiles(): readonly ProgramFile[];
  nameOf(handle: number): string | undefined;
}

/** @throws TdctlError that says what keeps the command from being started, or from being supervised. */
export function execute(options: ExecuteOptions): ExecutedCommand {
  const { command, fds = [], machine, guest, listener, hears } = options;
  const systemAnswers = hears === 'all' ? [] : constantAnswers(machine);
  const answering = answerCalls(
    (handlers) => options.supervisor.launch({ command, fds, systemAnswers }, handlers),
    {
      ...{ machine, guest, listener, hears },
      // The cgroups of this machine set no limit to the key slots of the simulated host.
      cgroup: '/',
      addressSpaceOf: (number) => number,
      giveUp: (_, supervisor) => {
        supervisor.signal(constants.signals.SIGKILL);
        supervisor.endAll();
      },
    },
  );
  if ('failed' in answering) throw launchRefused(command[0] ?? '', answering.failed);
  const { supervisor, ...rest } = answering;
  return {
    ...rest,
    pid: supervisor.pid,
    signal: (name) => supervisor.signal(constants.signals[name]),
    endAll: () => supervisor.endAll(),
  };
}
