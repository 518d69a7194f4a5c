/** The process that keeps one TD, from what it reads on its standard input to its end. */
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { errorData, exitCodes, TdctlError } from '../../errors/index.ts';
import { reopenToAppend } from '../../files/reopen.ts';
import { serveKeeper } from '../../keeper/api/server.ts';
import type { AttachedVmm } from '../../keeper/engines/attach.ts';
import { type KeeperFaults, keeperFaults } from '../../keeper/faults.ts';
import { type Kept, keep } from '../../keeper/keep.ts';
import { keeperLog } from '../../keeper/keeper-log.ts';
import {
  beginLife,
  earlyError,
  type Life,
  type LifeOptions,
  resumeLife,
} from '../../keeper/life.ts';
import { clearNext } from '../../keeper/move/next-directory.ts';
import { outlookOn } from '../../keeper/outlook.ts';
import { openProgress, type Progress, type Reached } from '../../keeper/progress.ts';
import type { KeepRequest } from '../../keeper/request.ts';
import { openStateDirectory } from '../../keeper/state-directory.ts';
import { limitSlots } from '../../keeper/systemd/limits.ts';
import { type OwnedTd, ownTd } from '../../keeper/td-directory.ts';
import { processIo } from '../io.ts';
import { openSinks } from '../run/console/run-console.ts';
import { throwFailure } from '../run/outcome.ts';
import { eventInWords } from '../words.ts';
import { companionsOf, ownManager } from './companions.ts';
import { engineOf } from './engine/engine-of.ts';
import { hostAsNamed, identityOf } from './keeper-identity.ts';
import { type NextInUnit, nextInUnit } from './move/next-in-unit.ts';
import { nameIsTaken } from './name-is-taken.ts';
import { type OpenedTd, openTd } from './open-td.ts';
import { StopRequest } from './stop-request.ts';
import { takenDown } from './taken-down.ts';

/**
 * @param onReached hears what the TD has come to, as whoever started this keeper does.
 * @returns the exit code: that of the error that the TD ended with.
 */
export async function keeperProcess(
  env: NodeJS.ProcessEnv,
  onReached: (reached: Reached) => void,
): Promise<number> {
  const progress = heard(openProgress(env), onReached);
  const stop = new StopRequest();
  // What goes wrong in an answer to somebody must not end the TD of all.
  process.on('uncaughtException', keeperLog);
  try {
    const request: KeepRequest = JSON.parse(readFileSync(0, 'utf8'));
    const faults = keeperFaults(env);
    if (request.moves === true) {
      const { receiveTd } = await import('./move/receive.ts');
      await receiveTd({ request, faults, env, progress, stop });
      return exitCodes.ok;
    }
    const owned = await own(request, { env, faults });
    const owning = { request, owned, faults, env, progress, stop };
    await (request.adopt === true ? goOnWith(owning) : keepOwned(owning));
    return exitCodes.ok;
  } catch (error) {
    const told = asTold(error);
    keeperLog(error);
    progress.tell({ failed: errorData(told) });
    return told.exitCode;
  } finally {
    progress.end();
    stop.done();
  }
}

function heard(progress: Progress, onReached: (reached: Reached) => void): Progress {
  return {
    tell(line) {
      progress.tell(line);
      if ('reached' in line) onReached(line.reached);
    },
    end: progress.end,
  };
}

/** @throws TdctlError where another keeps a TD of that name, or its directory cannot be had. */
async function own(
  request: KeepRequest,
  { env, faults }: { readonly env: NodeJS.ProcessEnv; readonly faults: KeeperFaults },
): Promise<OwnedTd> {
  const state = await openStateDirectory(env, { create: true });
  const { beforeWrite } = faults;
  const create = request.adopt !== true;
  const options = { create, keeper: identityOf(request), beforeWrite };
  const owned = await ownTd(state, request.name, options);
  if (owned === undefined) throw nameIsTaken(request.name, 'kept');
  if (owned.isNew || request.again) return owned;
  owned.release();
  throw nameIsTaken(request.name, 'over');
}

interface Owning {
  readonly request: KeepRequest;
  readonly owned: OwnedTd;
  readonly faults: KeeperFaults;
  readonly progress: Progress;
  readonly stop: StopRequest;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Until all that is needed is at hand nothing is written: a TD that runs is worth more than a keeper for it.
 *
 * @throws TdctlError for whatever keeps this process from going on with the TD, which is as it was.
 */
async function goOnWith(owning: Owning): Promise<void> {
  const { request, owned, progress } = owning;
  let life: Life | undefined;
  let opened: OpenedTd | undefined;
  try {
    const { attachToVmm } = await import('../../keeper/engines/attach.ts');
    const attached = await attachToVmm(request.name, owned.files);
    opened = await openTd(request, processIo());
    life = resume(owning);
    progress.tell({ owns: { directory: owned.files.directory, life: life.number } });
    await keepPlanned({ ...owning, ...opened, life, attached });
  } finally {
    await opened?.host.close();
    life?.close();
    owned.release();
  }
}

async function keepOwned(owning: Owning): Promise<void> {
  const { owned, progress } = owning;
  const life = begin(owning);
  progress.tell({ owns: { directory: owned.files.directory, life: life.number } });
  try {
    await keepOnHost(owning, life);
  } catch (error) {
    endEarly(life, error);
    throw error;
  } finally {
    life.close();
    owned.release();
  }
}

function resume(owning: Owning): Life {
  const { owned, faults } = owning;
  for (const fd of [1, 2]) reopenToAppend(fd, owned.files.log);
  return resumeLife(owned, { ...lifeOptions(owning), faults });
}

/** From here on, whatever goes wrong is found in the directory. @throws TdctlError: nothing of this life is left. */
function begin(owning: Owning): Life {
  const { request, owned, faults } = owning;
  try {
    owned.writeRequest(request);
    for (const fd of [1, 2]) reopenToAppend(fd, owned.files.log);
    return beginLife(owned, { ...lifeOptions(owning), faults });
  } catch (error) {
    if (owned.isNew) owned.remove();
    else owned.release();
    throw error;
  }
}

function lifeOptions({ request }: Owning): LifeOptions {
  const { name, host } = request;
  return {
    name,
    keeper: identityOf(request),
    host: hostAsNamed(host),
    onTrouble: (error) => keeperLog(`${error.place}: ${error.message}; the TD is kept on`),
  };
}

async function keepOnHost(owning: Owning, life: Life): Promise<void> {
  const { request, stop } = owning;
  const opened = await openTd(request, processIo());
  try {
    if (stop.reason !== undefined) {
      throw takenDown({ request, by: stop.reason, isQueued: false });
    }
    await keepPlanned({ ...owning, ...opened, life });
  } finally {
    await opened.host.close();
  }
}

interface Keeping extends Owning, OpenedTd {
  readonly life: Life;
  /** The QEMU to go on with. */
  readonly attached?: AttachedVmm | undefined;
}

async function keepPlanned(keeping: Keeping): Promise<void> {
  const { request, faults, env, progress, stop, host, plan, wanted, life, owned } = keeping;
  const state = await openStateDirectory(env, { create: false });
  if (request.unit !== undefined) noteLimits();
  let kept: Kept | undefined;
  const engine = await engineOf({ ...keeping, state, files: owned.files });
  const manager = ownManager(env, keeperLog);
  const next = nextInUnit({ request, env, manager });
  const sinks = await openSinks(wanted, {
    // Not of the run itself: what is typed while the TD moves goes with it.
    input: (bytes) => kept?.surface.console.input(bytes) ?? 0,
    onFailure: (error) => keeperLog(`${error.place}: ${error.message}`),
  });
  try {
    kept = keep({
      ...{ host, plan, life, engine, patienceMs: faults.patienceMs },
      directory: {
        release: owned.release,
        nextSocket: owned.files.nextSocket,
        clearNext: (of) => clearNext(owned.files, of),
      },
      inWords: (event) => eventInWords(event, plan.facts),
      onEvent: (_, event) => progress.tell({ event }),
      console: { console: sinks.print, debugConsole: () => {} },
      consoleSocket: () => sinks.socket,
      beginNext: next?.begin,
      tellsRequests: false,
      outlook: (td) => outlookOn(state, td),
      companions: companionsOf({
        ...{ state, life, host, plan, manager, request, log: keeperLog },
        onPlace: (place) => progress.tell({ queued: place }),
      }),
    });
    stop.stops(kept.surface);
    await answerFor(kept, { ...keeping, next });
  } finally {
    await sinks.end();
  }
}

/** What a unit cannot be given by systemd, the keeper gives it. */
function noteLimits(): void {
  const why = limitSlots(1);
  if (why !== undefined) keeperLog(`the unit may take more than one key slot: ${why}`);
}

/** @throws TdctlError what the TD ended with, where that is not what was asked for. */
async function answerFor(
  kept: Kept,
  keeping: Keeping & { readonly next: NextInUnit | undefined },
): Promise<void> {
  const { owned, progress, stop, plan, request } = keeping;
  const { run, surface } = kept;
  const serving = serveKeeper({ surface, socketPath: owned.files.socket, onDefect: keeperLog });
  // A TD that nobody can reach is none that is kept.
  serving.catch(() => run.stop());
  const hasReached = (await run.runnable) && (await reach(kept, keeping, serving));
  const output = await kept.ended;
  // Whoever has asked for a move is told what came of it.
  await keeping.next?.settled();
  await (await serving).close();
  throwFailure(output, plan.facts);
  if (hasReached) return;
  // That is as it was asked for, and no error of this process.
  const { verb = 'stop', isQueued = false } = kept.askedToEnd ?? {};
  const by = stop.reason ?? `\`tdctl ${verb}\``;
  progress.tell({ failed: errorData(takenDown({ request, by, isQueued })) });
}

/**
 * Tells whoever started this keeper that the TD is what was asked for.
 *
 * @returns false where it has ended before: its end tells why.
 */
async function reach(
  { surface }: Kept,
  { request, progress }: Owning,
  serving: Promise<unknown>,
): Promise<boolean> {
  try {
    await serving;
    if (request.start && request.adopt !== true) await surface.act('start', { by: undefined });
  } catch {
    return false;
  }
  progress.tell({ reached: request.start ? 'running' : 'runnable' });
  progress.end();
  return true;
}

/** A TD that has not come to its first step. */
function endEarly({ status, over }: Life, error: unknown): void {
  if (status.state !== 'absent' && status.state !== 'queued') return;
  const told = asTold(error);
  const state = told.code === 'TDCTL_E_INTERRUPTED' ? 'destroyed' : 'failed';
  over(state, 0);
  status.endedEarly(state, state === 'failed' ? earlyError(told) : null);
}

function asTold(error: unknown): TdctlError {
  if (error instanceof TdctlError) return error;
  return new TdctlError({
    code: 'TDCTL_E_INTERNAL',
    op: 'keep a TD',
    message: 'the keeper met a defect of its own',
    details: inspect(error).split('\n'),
    hint: 'please report this text',
  });
}
