/**
 * Removes what is over. Nothing is removed that somebody owns: the lock is taken first, and what is there is looked
 * at again under it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { TdctlError } from '../errors/index.ts';
import type { KeptTd } from './kept-td.ts';
import { readKeptTd, readKeptTds } from './kept-tds.ts';
import { conclude } from './recovery/conclude.ts';
import { glance, lookNow } from './recovery/glance.ts';
import { isOver } from './state.ts';
import type { StateDirectory } from './state-directory.ts';
import { finishCutOff, type OwnedTd, ownTd } from './td-directory.ts';

export interface RemoveOptions {
  /** So long is waited for those who have the lock of a TD that is over: a keeper that ends, or lets go of a move. */
  readonly patienceMs?: number | undefined;
}

/**
 * Removes a TD that nobody keeps, whatever became of it; a removal of it that was cut off is finished.
 *
 * @returns false where there is none of that name.
 * @throws TdctlError TDCTL_E_CONFLICT where somebody has it or the kernel is still taking it down,
 * TDCTL_E_STATE_DIRECTORY, TDCTL_E_NOT_WRITABLE, TDCTL_E_USAGE.
 */
export async function removeTd(
  state: StateDirectory,
  name: string,
  { patienceMs = usualPatienceMs }: RemoveOptions = {},
): Promise<boolean> {
  const owned = await ownOnceFree(state, name, patienceMs);
  await finishCutOff(state, name);
  if (owned === undefined) return false;
  if (owned === 'held') throw conflict(name, 'its keeper has it', `\`tdctl stop ${name}\` ends it`);
  try {
    // The lock may be free a little before the rest of what a killed process held.
    if (ownedTd(state, name).state === 'draining') {
      const why = 'its keeper was killed, and the kernel is still taking it down';
      throw conflict(name, why, `\`tdctl wait ${name} --for deleted\`, or try again later`);
    }
    owned.remove();
  } finally {
    owned.release();
  }
  return true;
}

export interface Pruned {
  /** Names of the TDs that were over, and are removed. */
  readonly removed: readonly string[];
  /** How many directories are gone that somebody died over, who removed or made them. */
  readonly finished: number;
  /** Those that are over and could not be removed. */
  readonly failed: readonly { readonly name: string; readonly error: TdctlError }[];
}

/**
 * Removes all TDs that are over. Those that somebody begins anew meanwhile stay.
 *
 * @param wanted says which of them.
 * @throws TdctlError TDCTL_E_STATE_DIRECTORY.
 */
export async function pruneTds(
  state: StateDirectory,
  wanted: (td: KeptTd) => boolean = () => true,
): Promise<Pruned> {
  const removed: string[] = [];
  const failed: { name: string; error: TdctlError }[] = [];
  const isDue = (td: KeptTd) => isOver(td.state) && wanted(td);
  for (const { name } of readKeptTds(state).filter(isDue)) {
    try {
      const owned = await ownWhereItIs(state, name);
      if (owned === undefined || owned === 'held') continue;
      try {
        if (!isDue(ownedTd(state, name))) continue;
        owned.remove();
        removed.push(name);
      } finally {
        owned.release();
      }
    } catch (error) {
      if (!(error instanceof TdctlError)) throw error;
      failed.push({ name, error });
    }
  }
  return { removed, finished: await finishCutOff(state), failed };
}

/** A TD whose lock is ours: nobody else has it. */
function ownedTd(state: StateDirectory, name: string): KeptTd {
  return conclude({ ...glance(state, name, lookNow({ forMany: false })), lock: 'free' }).td;
}

const usualPatienceMs = 2000;
const lookEveryMs = 10;

/**
 * Of a TD that is over others have the lock for moments: the keeper that ends, and whoever else removes it or begins
 * its next life.
 */
async function ownOnceFree(
  state: StateDirectory,
  name: string,
  patienceMs: number,
): Promise<OwnedTd | 'held' | undefined> {
  const begun = performance.now();
  for (;;) {
    const owned = await ownWhereItIs(state, name);
    if (owned !== 'held' || performance.now() - begun > patienceMs) return owned;
    const td = readKeptTd(state, name);
    if (td === undefined || !isOver(td.state)) return owned;
    await delay(lookEveryMs);
  }
}

async function ownWhereItIs(
  state: StateDirectory,
  name: string,
): Promise<OwnedTd | 'held' | undefined> {
  try {
    return (await ownTd(state, name, { create: false })) ?? 'held';
  } catch (error) {
    if (error instanceof TdctlError && error.code === 'TDCTL_E_NOT_FOUND') return undefined;
    throw error;
  }
}

function conflict(name: string, why: string, hint: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op: 'remove a TD',
    message: `TD ${name} is not removed: ${why}`,
    hint,
  });
}
