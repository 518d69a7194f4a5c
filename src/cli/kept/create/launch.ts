/** A keeper is started and followed until its TD is what it shall be, or whoever waits has enough. */
import { setTimeout as delay } from 'node:timers/promises';
import { TdctlError } from '../../../errors/index.ts';
import { connectTd } from '../../../keeper/client.ts';
import { readKeptTd } from '../../../keeper/kept-tds.ts';
import { launchKeeper } from '../../../keeper/launch.ts';
import { removeTd } from '../../../keeper/removal.ts';
import type { KeepRequest } from '../../../keeper/request.ts';
import type { StateDirectory } from '../../../keeper/state-directory.ts';
import type { Interrupts } from '../../interrupts.ts';
import type { CommandIo } from '../../io.ts';
import { say } from '../../output/print.ts';
import { isFree } from '../await.ts';
import type { CreateView } from './view.ts';

interface Launching {
  readonly state: StateDirectory;
  readonly interrupts: Interrupts;
  readonly io: CommandIo;
  readonly view: CreateView;
}

/**
 * A first interrupt takes down what was begun, and waits for its end; a second one leaves it to its keeper.
 *
 * @throws TdctlError what the keeper ended with, TDCTL_E_INTERRUPTED.
 */
export async function launch(request: KeepRequest, launching: Launching): Promise<void> {
  const { interrupts, io, view, state } = launching;
  const { name } = request;
  const leaving = new AbortController();
  const wasThere = readKeptTd(state, name) !== undefined;
  // It came while the file was read.
  if (interrupts.received !== undefined) throw interrupted(name, 'nothing was begun');
  let undoing: Promise<boolean> | undefined;
  let isFollowed = true;
  interrupts.onInterrupt((times) => {
    if (times > 1) return leaving.abort();
    say(io, `taking down what was begun of ${name}; Ctrl-C again leaves it to its keeper`);
    undoing = takeDown(name, state, { leaving: leaving.signal, isFollowed: () => isFollowed });
  });
  const asked = { env: io.env, onEvent: view.event, onQueued: view.queued, signal: leaving.signal };
  try {
    const { reached } = await launchKeeper(request, asked);
    if (undoing === undefined && reached === 'runnable') view.runnable();
  } catch (error) {
    // By what was undone, the keeper fails.
    if (undoing === undefined) throw error;
  } finally {
    isFollowed = false;
  }
  if (undoing === undefined) return;
  if (!(await undoing)) throw interrupted(name, 'its keeper goes on and builds it');
  // Who gives up on a new TD wants no trace of it.
  if (!wasThere) await removeTd(state, name);
  throw interrupted(name, 'everything was given back');
}

/** A keeper that has only just begun has no socket yet. */
const retryMs = 50;
const answerMs = 1000;

interface Undoing {
  readonly leaving: AbortSignal;
  /** Until then a keeper may come that is not there yet. */
  readonly isFollowed: () => boolean;
}

/** @returns whether it is over; it is left where `leaving` says so. */
async function takeDown(
  name: string,
  state: StateDirectory,
  { leaving, isFollowed }: Undoing,
): Promise<boolean> {
  while (!leaving.aborted && (isFollowed() || !isFree(readKeptTd(state, name)))) {
    await askToEnd(name, state);
    await delay(retryMs, undefined, { signal: leaving }).catch(() => undefined);
  }
  return !leaving.aborted;
}

async function askToEnd(name: string, state: StateDirectory): Promise<void> {
  try {
    const client = await connectTd(state, name, { deadlineMs: answerMs });
    await client.act('kill', { deadlineMs: answerMs }).finally(() => client.close());
  } catch (error) {
    // It is not there yet, or any more, or is busy: all of that is seen by the next look.
    if (!(error instanceof TdctlError)) throw error;
  }
}

function interrupted(name: string, what: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_INTERRUPTED',
    op: 'create a TD',
    message: `interrupted before TD ${name} was what was asked for; ${what}`,
  });
}
