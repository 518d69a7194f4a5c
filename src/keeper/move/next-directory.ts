/**
 * The part of a TD's directory that belongs to the keeper which the TD is to move to. Its lock comes before the one of
 * the TD: whoever would have that looks whether somebody has this one (owned-directory.ts). So when the keeper before
 * lets go, or dies, nobody comes in between.
 */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { TdctlError } from '../../errors/index.ts';
import type { FileLock } from '../../files/lock.ts';
import { notWritable, type OutputFile } from '../../files/not-writable.ts';
import { replaceFile } from '../../files/owned-file.ts';
import { removeFile } from '../../files/private-directory.ts';
import { isSameProcess, type KeeperIdentity, type ProcessIdentity } from '../identity.ts';
import type { StateDirectory } from '../state-directory.ts';
import { type OwnedTd, ownTd } from '../td-directory.ts';
import { type TdFiles, tdFiles } from '../td-files.ts';
import { tryTdLock } from '../td-lock.ts';
import { type NextStatus, readNextStatus } from './next-status.ts';

export interface NextTd {
  readonly name: string;
  /** `journal` is the one that is written until the TD is here. */
  readonly files: TdFiles;
  readonly beforeWrite: (file: OutputFile) => void;
  /**
   * The directory itself, once the keeper before has let go of it or is dead.
   *
   * @throws TdctlError TDCTL_E_CONFLICT where that has not come in time.
   */
  takeMain(deadlineMs: number): Promise<OwnedTd>;
  /** What stands of it is removed, and its lock let go. It may be called again. */
  end(): void;
}

const lookEveryMs = 2;

/**
 * @returns undefined where another has it, or there is no such TD.
 * @throws TdctlError TDCTL_E_NOT_WRITABLE.
 */
export async function ownNext(
  state: StateDirectory,
  name: string,
  { keeper, beforeWrite }: Pick<NextTd, 'beforeWrite'> & { readonly keeper: KeeperIdentity },
): Promise<NextTd | undefined> {
  const files = tdFiles(state, name);
  if (!existsSync(files.directory)) return undefined;
  const lock = await lockOf(files.nextLock);
  if (lock === undefined) return undefined;
  const status: NextStatus = { version: 1, keeper };
  try {
    replaceFile({ path: files.nextStatus, what: 'status of the next keeper' }, text(status), {
      flush: true,
    });
  } catch (error) {
    lock.release();
    throw error;
  }
  let isOver = false;
  return {
    name,
    files: { ...files, journal: files.nextJournal },
    beforeWrite,
    async takeMain(deadlineMs) {
      const begun = performance.now();
      for (;;) {
        const owned = await ownTd(state, name, { create: false, isNext: true, beforeWrite });
        if (owned !== undefined) return owned;
        if (performance.now() - begun > deadlineMs) throw stillHeld(name, files.lock);
        await delay(lookEveryMs);
      }
    },
    end() {
      if (isOver) return;
      isOver = true;
      removeNext(files);
      lock.release();
    },
  };
}

/** What one who has died has left of it. */
export function clearNext(files: TdFiles, died: ProcessIdentity): void {
  if (isSameProcess(readNextStatus(files.nextStatus)?.keeper, died)) removeNext(files);
}

function removeNext({ nextStatus, nextJournal, nextSocket }: TdFiles): void {
  for (const path of [nextStatus, nextJournal, nextSocket]) removeFile(path);
}

const text = (status: NextStatus) => `${JSON.stringify(status)}\n`;

async function lockOf(path: string): Promise<FileLock | undefined> {
  try {
    const lock = await tryTdLock(path);
    return lock === 'held' || lock === 'moved' ? undefined : lock;
  } catch (cause) {
    throw notWritable({ path, what: 'lock of the next keeper' }, cause);
  }
}

function stillHeld(name: string, place: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op: 'take a TD over',
    place,
    message: `the keeper that TD ${name} has left does not let go of its directory`,
    hint: `\`tdctl show ${name}\` says who it is`,
  });
}
