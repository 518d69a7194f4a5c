/** Runs a command whose /dev/kvm is a simulated machine, until it and all it started are gone. */
import { constants } from 'node:os';
import type { SupervisorClass, SupervisorHandlers } from '../../native/index.ts';
import type { TdctlError } from '../errors/index.ts';
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

export interface RunningCommand {
  readonly pid: number;
  /** Sends the command a signal. False means that the command has ended. */
  signal(name: NodeJS.Signals): boolean;
  /** Kills the command and all that it started. */
  endAll(): void;
  /** The end of the command; programs that it started may go on. */
  readonly exited: Promise<CommandExit>;
  /**
   * The end of everything. Rejects with TDCTL_E_HOST_UNSUPPORTED where a call could not be answered,
   * and with TDCTL_E_GUARD_LOST.
   */
  readonly ended: Promise<void>;
  openFiles(): readonly ProgramFile[];
  nameOf(handle: number): string | undefined;
}

/** @throws TdctlError that says what keeps the command from being started, or from being supervised. */
export function execute(options: ExecuteOptions): RunningCommand {
  const { command, machine, listener, hears } = options;
  const exited = promised<CommandExit>();
  const ended = promised<void>();
  let failure: TdctlError | undefined;
  let dispatcher: Dispatcher | undefined;

  const handlers: SupervisorHandlers = {
    opened: (call, tid, pid, addressSpace, closeOnExec, flags) =>
      dispatcher?.opened(call, { tid, pid, addressSpace }, { closeOnExec, flags }),
    ioctl: (call, tid, pid, addressSpace, file, request, argument) =>
      dispatcher?.ioctl(call, { tid, pid, addressSpace }, { file, request, argument }),
    interrupted: (call) => dispatcher?.interrupted(call),
    closed: (file) => dispatcher?.closed(file),
    outOfReach: (thread, code) => giveUp(code === 'EPERM' ? outOfReach(thread) : outOfFiles(code)),
    unserved: (call, abi, code) => listener.unserved({ call, abi }, code),
    exited: (how, status) =>
      exited.resolve(
        how === 'code' ? { how, status } : { how, status, signal: signalName(status) },
      ),
    guardLost: () => giveUp(guardLost()),
    ended: () => {
      if (failure === undefined) ended.resolve();
      else ended.reject(failure);
    },
  };
  const giveUp = (error: TdctlError) => {
    failure ??= error;
    supervisor.endAll();
  };
  const systemAnswers = hears === 'all' ? [] : constantAnswers(machine);
  const launch = options.supervisor.launch({ command, systemAnswers }, handlers);
  if ('failed' in launch) throw launchRefused(command[0] ?? '', launch.failed);
  const supervisor = launch.launched;
  const dispatching = new Dispatcher({
    machine,
    supervisor,
    listener,
    hears,
    failed: (code) => giveUp(outOfFiles(code)),
  });
  dispatcher = dispatching;
  return {
    pid: supervisor.pid,
    signal: (name) => supervisor.signal(constants.signals[name]),
    endAll: () => supervisor.endAll(),
    exited: exited.promise,
    ended: ended.promise,
    openFiles: () => dispatching.files.open,
    nameOf: (handle) => dispatching.files.nameOf(handle),
  };
}

/** Node 20 lacks Promise.withResolvers. */
function promised<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<Value>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}
