/** What is found of a TD by a few reads, without asking or locking anything: `tdctl list` does it a thousand times. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { keptStateOf } from '../chart-state.ts';
import { isSameProcess } from '../identity.ts';
import { lastRecordOf } from '../journal/last-record.ts';
import { type Moment, momentNow } from '../moment.ts';
import { presenceOf, type Vantage, vantage } from '../presence.ts';
import { isOver } from '../state.ts';
import type { StateDirectory } from '../state-directory.ts';
import { readStatus } from '../status-file.ts';
import { tdFileNames } from '../td-files.ts';
import type { Evidence, FilesRead, LastRecord } from './evidence.ts';
import { nextKeeper } from './next.ts';

/** Where and when one looks: the same for all TDs of a list. */
export interface Look extends Vantage {
  readonly now: Moment;
  /** /proc/locks, which is read where it is needed. */
  readonly locks: () => string;
}

/** @param forMany lists the processes once, which is dearer than to look for one and cheaper than to look for many. */
export function lookNow({ forMany }: { readonly forMany: boolean }): Look {
  let locks: string | undefined;
  return {
    now: momentNow(),
    ...vantage(),
    pids: forMany ? new Set(readdirSync('/proc')) : undefined,
    locks: () => {
      locks ??= readFileSync('/proc/locks', 'latin1');
      return locks;
    },
  };
}

/**
 * Of a keeper that is silent, the rest is read after its status, and meanwhile another may have followed it: in a move, or
 * by `start`. That it is silent is believed once two looks in a row find the same.
 */
export function glance(state: StateDirectory, name: string, look: Look): Evidence {
  let evidence = lookAt(state, name, look);
  while (mayBeFollowed(evidence)) {
    const again = lookAt(state, name, lookNow({ forMany: false }));
    if (isSame(again, evidence)) return again;
    evidence = again;
  }
  return evidence;
}

/** One of an earlier boot is silent by its status alone, and what has written its end and not left is over by that. */
function mayBeFollowed({ presence, files }: Evidence): boolean {
  return isGone(presence) || presence === 'stopped' || hasLeftIn(files);
}

function isSame(one: Evidence, other: Evidence): boolean {
  const isOfSameLife = lifeIn(one) === lifeIn(other) && isSameProcess(one.keeper, other.keeper);
  return isOfSameLife && one.next?.found === other.next?.found;
}

function lifeIn({ files }: Evidence): number | undefined {
  return files.kind === 'read' ? files.status.life : undefined;
}

function hasLeftIn(files: FilesRead): boolean {
  return files.kind === 'read' && files.status.td?.state === 'movedAway';
}

function lookAt(state: StateDirectory, name: string, look: Look): Evidence {
  const directory = state.tdPath(name);
  const files = filesIn(directory);
  const keeper = files.kind === 'read' ? files.status.keeper : undefined;
  const hasLeft = hasLeftIn(files);
  const presence =
    keeper === undefined || (endIsWritten(files) && !hasLeft) ? 'nobody' : presenceOf(keeper, look);
  const vmm = files.kind === 'read' ? files.status.td?.vmm : undefined;
  const isSilent = presence !== 'nobody' && presence !== 'lives';
  return {
    name,
    now: look.now,
    isThisBoot: keeper === undefined || keeper.bootId === look.bootId,
    files,
    keeper,
    presence,
    vmm: vmm !== undefined && isGone(presence) ? presenceOf(vmm, look) : 'nobody',
    lock:
      files.kind === 'halfMade' || presence === 'elsewhere'
        ? lockSeen(`${directory}/${tdFileNames.lock}`, look)
        : undefined,
    next:
      (isSilent || hasLeft) && keeper !== undefined
        ? nextKeeper(directory, { keeper, from: look })
        : undefined,
    lastRecord: isSilent ? lastWord(`${directory}/${tdFileNames.journal}`) : undefined,
    closer: undefined,
  };
}

const goneFrom: readonly Evidence['presence'][] = ['exiting', 'gone', 'recycled'];

function isGone(presence: Evidence['presence']): boolean {
  return goneFrom.includes(presence);
}

export function filesIn(directory: string): FilesRead {
  const read = readStatus(`${directory}/${tdFileNames.status}`);
  if (read.kind === 'read') return { kind: 'read', status: read.file };
  if (read.kind === 'absent') return { kind: 'halfMade' };
  return { kind: 'damaged', why: `${tdFileNames.status}: ${read.why}` };
}

function endIsWritten(files: FilesRead): boolean {
  const td = files.kind === 'read' ? files.status.td : null;
  return td !== null && isOver(keptStateOf(td.state));
}

function lastWord(journal: string): LastRecord | undefined {
  const record = lastRecordOf(journal);
  if (record === undefined) return undefined;
  return { at: record, outcome: record.kind === 'over' ? record.outcome : undefined };
}

/**
 * Whether the kernel's list of locks has this one. To try the lock would tell more, and would keep a keeper from
 * taking it that begins at this moment.
 */
function lockSeen(path: string, look: Look): 'held' | 'free' | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return 'free';
    return new RegExp(` FLOCK .*:${stats.ino} `).test(look.locks()) ? 'held' : 'free';
  } catch {
    return undefined;
  }
}
