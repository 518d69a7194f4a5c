/**
 * The directory of one TD, for the one process that owns it. Only the owner renames or removes it, and only the owner
 * writes into it, so nothing of a TD is ever written by two.
 */
import { readdirSync } from 'node:fs';
import { errnoOf } from '../errors/errno.ts';
import { TdctlError } from '../errors/index.ts';
import { notWritable, type OutputFile } from '../files/not-writable.ts';
import { replaceFile } from '../files/owned-file.ts';
import { moveTo, removeFile, removeTree } from '../files/private-directory.ts';
import type { KeeperIdentity } from './identity.ts';
import { type JournalRead, readJournal } from './journal/read.ts';
import { type TakenDirectory, takeDirectory } from './owned-directory.ts';
import type { KeepRequest } from './request.ts';
import type { StateDirectory } from './state-directory.ts';
import type { StatusFile, StatusRecord } from './status.ts';
import { readStatus } from './status-file.ts';
import {
  isPassing,
  makingPrefix,
  removingPath,
  removingPrefix,
  type TdFiles,
  tdFileNames,
  tdFiles,
} from './td-files.ts';
import { clearMakings, removeAside } from './td-making.ts';

export interface OwnedTd {
  readonly name: string;
  readonly files: TdFiles;
  /** Whether the directory was made now. */
  readonly isNew: boolean;
  /**
   * Begins a life: what the one before has left becomes `*.previous`, its status and its socket go, and from now on
   * whoever looks finds this keeper.
   *
   * @param moved the TD as it stands, where it goes on that another keeper has had until now: so do its console, and
   * its socket, which is that keeper's until this one takes it over.
   * @throws TdctlError TDCTL_E_NOT_WRITABLE.
   */
  beginLife(keeper: KeeperIdentity, moved?: StatusRecord): Life;
  /**
   * Goes on with the life that another keeper has begun and cannot end. @returns what that one has written.
   *
   * @throws TdctlError TDCTL_E_NOT_WRITABLE, TDCTL_E_CONFLICT where there is no such life.
   */
  resumeLife(keeper: KeeperIdentity): ResumedLife;
  /** `request.json` and `td.yaml`. @throws TdctlError TDCTL_E_NOT_WRITABLE. */
  writeRequest(request: KeepRequest): void;
  /** Needs a life. @throws TdctlError TDCTL_E_NOT_WRITABLE: readers have the status before. */
  writeStatus(td: StatusRecord): void;
  /** Comes before each write to the directory, the journal's too, and may throw the error of a system call. */
  readonly beforeWrite: (file: OutputFile) => void;
  /** Gives up the lock. The directory stays. It may be called again. */
  release(): void;
  /**
   * Removes the directory, then gives up the lock. Cut off, it is finished by whoever finds it.
   *
   * @throws TdctlError TDCTL_E_NOT_WRITABLE.
   */
  remove(): void;
}

export interface Life {
  readonly number: number;
  /** Of the journal before; the first record of this life has the next. */
  readonly lastSeq: number;
}

export interface ResumedLife {
  readonly number: number;
  readonly td: StatusRecord;
  readonly journal: JournalRead;
}

export interface OwnTdOptions {
  /** Makes the directory where there is none. */
  readonly create: boolean;
  /** Whose it is found to be as soon as it is made. */
  readonly keeper?: KeeperIdentity | undefined;
  /** Has the lock of the next keeper, for which all others leave the directory alone. */
  readonly isNext?: boolean | undefined;
  /** For tests: see {@link OwnedTd.beforeWrite}. */
  readonly beforeWrite?: ((file: OutputFile) => void) | undefined;
}

/**
 * @returns undefined where another process owns it.
 * @throws TdctlError TDCTL_E_USAGE for what is no name, TDCTL_E_NOT_FOUND, TDCTL_E_STATE_DIRECTORY for a directory that
 * others could write to, TDCTL_E_NOT_WRITABLE.
 */
export async function ownTd(
  state: StateDirectory,
  name: string,
  { create, keeper, isNext = false, beforeWrite = () => {} }: OwnTdOptions,
): Promise<OwnedTd | undefined> {
  const files = tdFiles(state, name);
  if (create) await finishCutOff(state, name);
  const begin = (directory: string) => {
    if (keeper === undefined) return;
    const content: StatusFile = { version: 1, keeper, life: 0, td: null };
    const file = { path: `${directory}/${tdFileNames.status}`, what: 'status of the TD' };
    changed({ file, beforeWrite }, () =>
      replaceFile(file, `${JSON.stringify(content)}\n`, { flush: false }),
    );
  };
  const locks = isNext ? { directory: files.directory, lock: files.lock } : files;
  const taken = await takeDirectory(locks, {
    what: 'TD',
    making: create ? { parent: state.tdsPath, name, begin } : undefined,
    notFound: () => notFound(name, files.directory),
  });
  if (taken === undefined) return undefined;
  return owned({ state, name, files, beforeWrite, ...taken });
}

function notFound(name: string, place: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_FOUND',
    op: 'look for a TD by its name',
    place,
    message: `there is no TD ${name} here`,
    hint: '`tdctl list` has those that there are',
  });
}

function nothingToResume(name: string, place: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_CONFLICT',
    op: 'go on with a TD',
    place,
    message: `nobody has begun a life of TD ${name} that could be gone on with`,
    hint: `\`tdctl start ${name}\` begins one`,
  });
}

interface Change {
  readonly file: OutputFile;
  readonly beforeWrite: (file: OutputFile) => void;
}

function changed<Result>({ file, beforeWrite }: Change, change: () => Result): Result {
  try {
    beforeWrite(file);
    return change();
  } catch (cause) {
    throw cause instanceof TdctlError ? cause : notWritable(file, cause);
  }
}

interface Owned extends TakenDirectory {
  readonly state: StateDirectory;
  readonly name: string;
  readonly files: TdFiles;
  readonly beforeWrite: (file: OutputFile) => void;
}

function owned({ state, name, files, beforeWrite, isNew, lock }: Owned): OwnedTd {
  let life: Omit<StatusFile, 'td'> | undefined;
  const changing = <Result>(file: OutputFile, change: () => Result): Result =>
    changed({ file, beforeWrite }, change);
  const write = (file: OutputFile, content: string, flush: boolean) =>
    changing(file, () => replaceFile(file, content, { flush }));
  const writeStatusFile = (content: StatusFile, flush: boolean) =>
    write({ path: files.status, what: 'status of the TD' }, `${JSON.stringify(content)}\n`, flush);
  const setAside = (path: string, to: string, what: string) =>
    changing({ path, what }, () => {
      try {
        moveTo(path, to);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
      }
    });
  const drop = (path: string, what: string) => changing({ path, what }, () => removeFile(path));

  return {
    name,
    files,
    isNew,
    beforeWrite,
    beginLife(keeper, moved) {
      const before = lifeBefore(files);
      // One that has no record yet is of a life that was cut off as it began: the one before it is worth more.
      const { records, corrupt } = readJournal(files.journal);
      if (records.length > 0 || corrupt !== undefined) {
        setAside(files.journal, files.journalBefore, 'journal of the life before');
      }
      if (moved === undefined) {
        setAside(files.console, files.consoleBefore, 'console log of the life before');
        drop(files.socket, 'socket of the life before');
      }
      life = { version: 1, keeper, life: before.number + 1 };
      writeStatusFile({ ...life, td: moved ?? null }, true);
      return { number: life.life, lastSeq: before.lastSeq };
    },
    resumeLife(keeper) {
      const status = readStatus(files.status);
      const before = status.kind === 'read' ? status.file : undefined;
      if (!before?.td) throw nothingToResume(name, files.directory);
      drop(files.socket, 'socket of the keeper before');
      const journal = readJournal(files.journal);
      life = { version: 1, keeper, life: before.life };
      writeStatusFile({ ...life, td: before.td }, true);
      return { number: before.life, td: before.td, journal };
    },
    writeRequest(request) {
      write({ path: files.spec, what: 'TrustDomain file' }, request.spec, true);
      const content = `${JSON.stringify(request)}\n`;
      write({ path: files.request, what: 'request of the TD' }, content, true);
    },
    writeStatus(td) {
      if (life === undefined) throw new Error('no life was begun');
      // Not flushed: a reader of this boot sees it all the same, and after a power cut there is the journal.
      writeStatusFile({ ...life, td }, false);
    },
    release: lock.release,
    remove() {
      const { directory } = files;
      try {
        changing({ path: directory, what: 'directory of the TD' }, () =>
          removeAside(directory, removingPath(state.tdsPath, name)),
        );
      } finally {
        lock.release();
      }
    },
  };
}

/** The journal and the status may each be damaged, or missing where a life was cut off as it began. */
function lifeBefore(files: TdFiles): Life {
  const status = readStatus(files.status);
  const journals = [files.journal, files.journalBefore].map((path) => readJournal(path).records);
  const [written = []] = journals.filter((records) => records.length > 0);
  const [first] = written;
  const file = status.kind === 'read' ? status.file : undefined;
  return {
    number: Math.max(file?.life ?? 0, first?.kind === 'keeper' ? first.life : 0),
    lastSeq: Math.max(file?.td?.seq ?? 0, written.at(-1)?.seq ?? 0),
  };
}

/**
 * Finishes removals that were cut off, of one TD or of all, and removes what was not made to the end.
 *
 * @returns how many there were.
 * @throws TdctlError TDCTL_E_NOT_WRITABLE.
 */
export async function finishCutOff(
  { tdsPath }: Pick<StateDirectory, 'tdsPath'>,
  name?: string,
): Promise<number> {
  const names = namesIn(tdsPath);
  const pathsOf = (prefix: string) =>
    names.filter((entry) => isPassing(entry, prefix, name)).map((entry) => `${tdsPath}/${entry}`);
  const removed = pathsOf(removingPrefix);
  for (const path of removed) {
    try {
      removeTree(path);
    } catch (cause) {
      throw notWritable({ path, what: 'directory of a removed TD' }, cause);
    }
  }
  return removed.length + (await clearMakings(pathsOf(makingPrefix)));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
