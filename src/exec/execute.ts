/** Runs a command whose /dev/kvm is a simulated machine, until it and all it started are gone. */
import { constants } from 'node:os';
import type { CallNumber, SupervisorClass, SupervisorHandlers } from '../../native/index.ts';
import type { SimulatedMachine } from '../simulator/index.ts';
import { constantAnswers } from './constant-answers.ts';
import { type CallListener, Dispatcher } from './dispatcher.ts';
import { launchRefused, outOfFiles, outOfReach } from './launch-refused.ts';
import type { ProgramFile } from './program-files.ts';

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
  | { readonly how: 'signal'; readonly signal: NodeJS.Signals };

/**
 * TDCTL_E_HOST_UNSUPPORTED where this machine does not let calls be answered; else what a defect of our
 * own threw.
 */
export interface Failure {
  readonly error: unknown;
}

export interface RunningCommand {
  readonly pid: number;
  /** Sends the command a signal. False means that the command has ended. */
  signal(name: NodeJS.Signals): boolean;
  /** The end of the command; programs that it started may go on. */
  readonly exited: Promise<CommandExit>;
  /** The end of everything, and what went wrong before it. */
  readonly ended: Promise<Failure | undefined>;
  /**
   * Calls are not answered any more. The command is killed, and every process that still calls; the
   * others are the caller's to end. Never settles where all goes well.
   */
  readonly failed: Promise<Failure>;
  openFiles(): readonly ProgramFile[];
  nameOf(handle: number): string | undefined;
}

/** @throws TdctlError that says what keeps the command from being started, or from being supervised. */
export function execute(options: ExecuteOptions): RunningCommand {
  const { command, machine, listener, hears } = options;
  const exited = promised<CommandExit>();
  const ended = promised<Failure | undefined>();
  const failed = promised<Failure>();
  let failure: Failure | undefined;

  const handlers: SupervisorHandlers = {
    opened: (call, tid, pid, addressSpace, closeOnExec, flags) => {
      if (failure !== undefined) endCaller(call, tid);
      else dispatcher.opened(call, { tid, pid, addressSpace }, { closeOnExec, flags });
    },
    ioctl: (call, tid, pid, addressSpace, file, request, argument) => {
      if (failure !== undefined) endCaller(call, tid);
      else dispatcher.ioctl(call, { tid, pid, addressSpace }, { file, request, argument });
    },
    interrupted: (call) => dispatcher.interrupted(call),
    closed: (file) => dispatcher.closed(file),
    outOfReach: (thread, code) => {
      giveUp(code === 'EPERM' ? outOfReach(thread) : outOfFiles(code));
      kill(thread);
    },
    unserved: (call, abi, code) => listener.unserved({ call, abi }, code),
    exited: (how, status) =>
      exited.resolve(how === 'code' ? { how, status } : { how, signal: signalName(status) }),
    ended: () => ended.resolve(failure),
    failed: (error) => giveUp(error),
  };
  const giveUp = (error: unknown) => {
    failure ??= { error };
    failed.resolve(failure);
    supervisor.signal(constants.signals.SIGKILL);
  };
  /** The signal comes first, so that no program sees an errno that no kernel gave. */
  const endCaller = (call: CallNumber, thread: number) => {
    kill(thread);
    supervisor.refuse(call, constants.errno.EIO);
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
    exited: exited.promise,
    ended: ended.promise,
    failed: failed.promise,
    openFiles: () => dispatcher.files.open,
    nameOf: (handle) => dispatcher.files.nameOf(handle),
  };
}

/** Kills the process that the thread belongs to, which need not be the command. */
function kill(thread: number): void {
  try {
    process.kill(thread, 'SIGKILL');
  } catch {
    // The process has ended meanwhile, or belongs to another user.
  }
}

/** Node 20 lacks Promise.withResolvers. */
function promised<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function signalName(number: number): NodeJS.Signals {
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  return names.find(([, value]) => value === number)?.[0] ?? 'SIGKILL';
}
