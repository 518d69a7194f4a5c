/** Runs a command whose /dev/kvm is a simulated machine, until it and all it started are gone. */
import { constants } from 'node:os';
import type { SupervisorClass, SupervisorHandlers } from '../../native/index.ts';
import type { SimulatedMachine } from '../simulator/index.ts';
import { constantAnswers } from './constant-answers.ts';
import { type CallListener, Dispatcher } from './dispatcher.ts';
import { guardLost, launchRefused, outOfFiles, outOfReach } from './launch-refused.ts';
import type { ProgramFile } from './program-files.ts';
import { signalName } from './signals.ts';

export interface ExecuteOptions {
  readonly command: readonly string[];
  readonly machine: SimulatedMachine;
  readonly supervisor: SupervisorClass;
  readonly listener: CallListener;
  /**
   * With `all`, every call comes to the machine, and the pages that go into a TD are digested. With
   * `needed`, the supervisor answers by itself what /dev/kvm answers to everybody.
   */
  readonly hears: 'all' | 'needed';
}

export type CommandExit =
  | { readonly how: 'code'; readonly status: number }
  /** `status` is the signal's number. */
  | { readonly how: 'signal'; readonly status: number; readonly signal: string };

/**
 * TDCTL_E_HOST_UNSUPPORTED where a call could not be answered, TDCTL_E_GUARD_LOST, or what a defect of
 * our own threw. Calls are not answered any more from then on, and all that the command started is killed.
 */
export interface Failure {
  readonly error: unknown;
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
  openFiles(): readonly ProgramFile[];
  nameOf(handle: number): string | undefined;
}

/** @throws TdctlError that says what keeps the command from being started, or from being supervised. */
export function execute(options: ExecuteOptions): RunningCommand {
  const { command, machine, listener, hears } = options;
  const exited = promised<CommandExit>();
  const ended = promised<Failure | undefined>();
  let failure: Failure | undefined;

  const handlers: SupervisorHandlers = {
    opened: (call, tid, pid, addressSpace, closeOnExec, flags) => {
      if (failure !== undefined) supervisor.keep(call);
      else dispatcher.opened(call, { tid, pid, addressSpace }, { closeOnExec, flags });
    },
    ioctl: (call, tid, pid, addressSpace, file, request, argument) => {
      if (failure !== undefined) supervisor.keep(call);
      else dispatcher.ioctl(call, { tid, pid, addressSpace }, { file, request, argument });
    },
    fallocate: (call, tid, pid, addressSpace, file, mode, offset, length) => {
      if (failure !== undefined) supervisor.keep(call);
      else dispatcher.fallocate(call, { tid, pid, addressSpace }, { file, mode, offset, length });
    },
    interrupted: (call) => dispatcher.interrupted(call),
    closed: (file) => dispatcher.closed(file),
    outOfReach: (thread, code) => giveUp(code === 'EPERM' ? outOfReach(thread) : outOfFiles(code)),
    unserved: (call, abi, code) => listener.unserved({ call, abi }, code),
    exited: (how, status) =>
      exited.resolve(
        how === 'code' ? { how, status } : { how, status, signal: signalName(status) },
      ),
    guardLost: () => giveUp(guardLost()),
    ended: () => ended.resolve(failure),
    failed: (error) => giveUp(error),
  };
  /** Calls that still come wait for the kill, so that no program sees an errno that no kernel gave. */
  const giveUp = (error: unknown) => {
    failure ??= { error };
    supervisor.signal(constants.signals.SIGKILL);
    supervisor.endAll();
  };
  const systemAnswers = hears === 'all' ? [] : constantAnswers(machine);
  const launch = options.supervisor.launch({ command, systemAnswers }, handlers);
  if ('failed' in launch) throw launchRefused(command[0] ?? '', launch.failed);
  const supervisor = launch.launched;
  // No event comes before this function has returned.
  const dispatcher = new Dispatcher({
    machine,
    supervisor,
    listener,
    hears,
    outOfFiles: (code) => giveUp(outOfFiles(code)),
    threw: giveUp,
  });
  return {
    pid: supervisor.pid,
    signal: (name) => supervisor.signal(constants.signals[name]),
    endAll: () => supervisor.endAll(),
    exited: exited.promise,
    ended: ended.promise,
    openFiles: () => dispatcher.files.open,
    nameOf: (handle) => dispatcher.files.nameOf(handle),
  };
}

/** Node 20 lacks Promise.withResolvers. */
function promised<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
