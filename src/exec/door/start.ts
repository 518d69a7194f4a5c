/** Starts a command on a shared host, as a child of this process, and follows both to their end. */
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { HeldCommand, Mount, PassedFd, SupervisorClass } from '../../../native/index.ts';
import type { HostOperator } from '../../host/shared/index.ts';
import type { TraceRecord } from '../../trace/index.ts';
import type { Failure } from '../answering.ts';
import type { RunningCommand } from '../execute.ts';
import type { Executed, MachineNames } from '../executed.ts';
import { guardLost, launchRefused } from '../launch-refused.ts';
import { promised } from '../promised.ts';
import { type CommandExit, exitOf } from '../signals.ts';
import type { CommandEndedTold, ExecuteAsked, ExecuteTold } from './messages.ts';

/** The two sockets of a shared host. */
export interface HostSockets {
  readonly operator: Pick<HostOperator, 'ask'>;
  /** Sends a line to the other one, with the fds. */
  passFds(line: string, fds: readonly PassedFd[]): Promise<void>;
}

export interface StartOptions extends ExecuteAsked {
  readonly supervisor: SupervisorClass;
  /** Fds that the command gets besides its standard streams, by the numbers that they have here. */
  readonly fds?: readonly number[] | undefined;
  /** Made in a mount namespace of the command's own, as far as this process may. */
  readonly mounts?: readonly Mount[] | undefined;
  readonly onRecord?: ((record: TraceRecord) => void) | undefined;
  /** A process starts its guest again and again, though it has turned itself off in every way. */
  readonly onRestarts?: ((pid: number) => void) | undefined;
}

export interface StartedCommand extends RunningCommand {
  /** Its number on the host. */
  readonly process: number;
  readonly machine: MachineNames;
  /** What the host says of it at the end. */
  readonly executed: Promise<Executed>;
}

/** The guard tells how the command has ended a moment after it has. */
const lookForEndEveryMs = 1;
/** Somebody may stop the guard, which then has to be told to go on. */
const lookAfterGuardEveryMs = 100;

/**
 * @throws TdctlError that says what keeps the command from being started, by this process or by the host; nothing of it is
 * left then.
 */
export async function startOnHost(
  { operator, passFds }: HostSockets,
  options: StartOptions,
): Promise<StartedCommand> {
  const {
    command,
    cgroup,
    script,
    trace,
    supervisor,
    fds = [],
    mounts = [],
    onRecord,
    onRestarts,
  } = options;
  const asked: ExecuteAsked = { command, cgroup, script, trace };
  const leaving = new AbortController();
  const told = new Told({ onRecord, onRestarts });
  const executed = operator.ask<Executed>('execute', asked, {
    signal: leaving.signal,
    onTold: (value) => told.hear(value as ExecuteTold),
  });
  const refused = executed.then(() => Promise.reject(new Error('the host is done at once')));
  refused.catch(() => undefined);
  const { ticket, answeredBy } = await Promise.race([told.ticket, refused]);
  const launched = supervisor.hold({ command, answeredBy, fds, mounts });
  if ('failed' in launched) {
    leaving.abort();
    throw launchRefused(command[0] ?? '', launched.failed);
  }
  const { held } = launched;
  try {
    const passed = held.pass();
    await passFds(`${JSON.stringify({ ticket })}\n`, passed);
    await Promise.all(passed.map((fd) => fd.close()));
    const { process, machine } = await Promise.race([told.serving, refused]);
    const failed = held.letGo();
    if (failed !== undefined) throw launchRefused(command[0] ?? '', failed);
    const following = follow(held, { executed, failed: told.failed });
    void following.exited.then((exit) => {
      const ended: CommandEndedTold = { ticket, exit };
      return operator.ask('commandEnded', ended).catch(() => undefined);
    });
    return { ...following, process, machine, executed };
  } catch (error) {
    leaving.abort();
    held.finish();
    throw error;
  }
}

/** What the host tells. */
class Told {
  readonly #ticket = promised<{ readonly ticket: string; readonly answeredBy: number }>();
  readonly #serving = promised<{ readonly process: number; readonly machine: MachineNames }>();
  readonly #failed = promised<unknown>();
  readonly #options: Pick<StartOptions, 'onRecord' | 'onRestarts'>;

  constructor(options: Pick<StartOptions, 'onRecord' | 'onRestarts'>) {
    this.#options = options;
  }

  get ticket() {
    return this.#ticket.promise;
  }

  get serving() {
    return this.#serving.promise;
  }

  get failed() {
    return this.#failed.promise;
  }

  hear(told: ExecuteTold): void {
    if ('record' in told) this.#options.onRecord?.(told.record);
    else if ('ticket' in told) this.#ticket.resolve(told);
    else if ('process' in told) this.#serving.resolve(told);
    else if ('restarts' in told) this.#options.onRestarts?.(told.restarts);
    else this.#failed.resolve(told.failed);
  }
}

interface Answered {
  readonly executed: Promise<unknown>;
  readonly failed: Promise<unknown>;
}

function follow(held: HeldCommand, { executed, failed }: Answered): RunningCommand {
  let failure: Failure | undefined;
  const giveUp = (error: unknown) => {
    failure ??= { error };
    held.signal(constants.signals.SIGKILL);
    held.endAll();
  };
  void failed.then(giveUp);
  executed.catch(giveUp);
  const guarded = guardEnds(held, () => giveUp(guardLost()));
  const exited = commandEnds(held, guarded);
  const ended = Promise.all([exited, guarded])
    .finally(() => held.finish())
    .then(() => executed.catch(() => undefined))
    .then(() => failure);
  return {
    pid: held.pid,
    signal: (name) => held.signal(constants.signals[name]),
    endAll: () => held.endAll(),
    exited,
    ended,
  };
}

/** Resolves when nothing is left of what the command started. */
async function guardEnds(held: HeldCommand, onLost: () => void): Promise<void> {
  const guard = held.guard();
  const looking = setInterval(() => held.look(), lookAfterGuardEveryMs);
  looking.unref();
  await guard.ended();
  clearInterval(looking);
  await guard.close();
  if (held.look() === 'lost') {
    onLost();
    while (held.endOrphans()) await delay(lookForEndEveryMs);
  }
}

async function commandEnds(held: HeldCommand, guarded: Promise<void>): Promise<CommandExit> {
  const command = held.command();
  await command.ended();
  await command.close();
  let isGuarded = true;
  void guarded.then(() => {
    isGuarded = false;
  });
  for (;;) {
    // It is looked at before, because the guard's last word may come with its end.
    const last = !isGuarded;
    const end = held.hear();
    if (end !== undefined) return exitOf(end.how, end.status);
    if (last) return exitOf('signal', constants.signals.SIGKILL);
    await delay(lookForEndEveryMs);
  }
}
