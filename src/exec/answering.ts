/** Answers the calls of one command, whoever started it, until it and all that it started are gone. */
import type {
  Launched,
  LaunchFailure,
  Supervisor,
  SupervisorHandlers,
} from '../../native/index.ts';
import { Dispatcher, type DispatcherOptions } from './dispatcher.ts';
import { guardLost, outOfFiles, outOfReach } from './launch-refused.ts';
import type { ProgramFile } from './program-files.ts';
import { promised } from './promised.ts';
import { type CommandExit, exitOf } from './signals.ts';

/**
 * TDCTL_E_HOST_UNSUPPORTED where a call could not be answered, TDCTL_E_GUARD_LOST, or what a defect of
 * our own threw. Calls are not answered any more from then on, and all that the command started is killed.
 */
export interface Failure {
  readonly error: unknown;
}

export interface AnsweringOptions
  extends Omit<DispatcherOptions, 'supervisor' | 'outOfFiles' | 'threw'> {
  /** The machine's number for an address space of this command. */
  readonly addressSpaceOf: (ofCommand: number) => number;
  /** Ends the command and all that it started: from now on its calls wait for that. */
  readonly giveUp: (failure: Failure, supervisor: Supervisor) => void;
}

export interface Answering {
  readonly supervisor: Supervisor;
  /** The end of the command, where it is this process that hears of it; programs that it started may go on. */
  readonly exited: Promise<CommandExit>;
  /** The end of everything, and what went wrong before it. */
  readonly ended: Promise<Failure | undefined>;
  /** Answers nothing any more, though programs may be there; what they have on the machine is given back. */
  stop(): void;
  openFiles(): readonly ProgramFile[];
  nameOf(handle: number): string | undefined;
}

/** @param begin Starts the command, or takes it over. No handler is called before it has returned. */
export function answerCalls(
  begin: (handlers: SupervisorHandlers) => Launched,
  options: AnsweringOptions,
): Answering | { readonly failed: LaunchFailure } {
  const { machine, cgroup, guest, listener, beforeAnswer, hears, addressSpaceOf } = options;
  const exited = promised<CommandExit>();
  const ended = promised<Failure | undefined>();
  let failure: Failure | undefined;

  const thread = (tid: number, pid: number, addressSpace: number) => ({
    tid,
    pid,
    addressSpace: addressSpaceOf(addressSpace),
  });
  const handlers: SupervisorHandlers = {
    opened: (call, tid, pid, addressSpace, closeOnExec, flags) => {
      if (failure !== undefined) supervisor.keep(call);
      else dispatcher.opened(call, thread(tid, pid, addressSpace), { closeOnExec, flags });
    },
    ioctl: (call, tid, pid, addressSpace, file, request, argument) => {
      if (failure !== undefined) supervisor.keep(call);
      else dispatcher.ioctl(call, thread(tid, pid, addressSpace), { file, request, argument });
    },
    fallocate: (call, tid, pid, addressSpace, file, mode, offset, length) => {
      const asked = { file, mode, offset, length };
      if (failure !== undefined) supervisor.keep(call);
      else dispatcher.fallocate(call, thread(tid, pid, addressSpace), asked);
    },
    interrupted: (call) => dispatcher.interrupted(call),
    closed: (file) => dispatcher.closed(file),
    outOfReach: (tid, code) => giveUp(code === 'EPERM' ? outOfReach(tid) : outOfFiles(code)),
    unserved: (call, abi, code) => listener.unserved({ call, abi }, code),
    exited: (how, status) => exited.resolve(exitOf(how, status)),
    guardLost: () => giveUp(guardLost()),
    ended: () => ended.resolve(failure),
    failed: (error) => giveUp(error),
  };
  /** Calls that still come wait for the kill, so that no program sees an errno that no kernel gave. */
  const giveUp = (error: unknown) => {
    failure ??= { error };
    options.giveUp(failure, supervisor);
  };
  const begun = begin(handlers);
  if ('failed' in begun) return begun;
  const supervisor = begun.launched;
  const dispatcher = new Dispatcher({
    ...{ machine, supervisor, cgroup, guest, listener, beforeAnswer, hears },
    outOfFiles: (code) => giveUp(outOfFiles(code)),
    threw: giveUp,
  });
  return {
    supervisor,
    exited: exited.promise,
    ended: ended.promise,
    stop() {
      supervisor.stop();
      dispatcher.abandon();
      ended.resolve(failure);
    },
    openFiles: () => dispatcher.files.open,
    nameOf: (handle) => dispatcher.files.nameOf(handle),
  };
}
