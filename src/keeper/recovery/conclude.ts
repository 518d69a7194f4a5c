/** From what is found to what is so: pure, by the table. */
import { keptStateOf } from '../chart-state.ts';
import type { KeeperSeen, KeptTd } from '../kept-td.ts';
import { type Moment, msSince } from '../moment.ts';
import { notesOf } from '../notes.ts';
import { type KeptState, keptStates } from '../state.ts';
import type { StatusRecord } from '../status.ts';
import type { Evidence } from './evidence.ts';
import { type RecoveryRow, recoveryTable } from './table.ts';
import { type UnderWay, underWayOf } from './under-way.ts';

export interface Conclusion {
  readonly row: RecoveryRow;
  readonly td: KeptTd;
}

export function conclude(evidence: Evidence): Conclusion {
  const row = rowFor(evidence);
  const { files, lastRecord, keeper, name } = evidence;
  const status = files.kind === 'read' ? files.status : undefined;
  const td = status?.td ?? undefined;
  const written = writtenState(evidence);
  const state = row.state === 'as written' ? written : row.state;
  const isWritten = td !== undefined && state === keptStateOf(td.state);
  // What became of it since, its keeper could not tell: the last sign of life is what is known.
  const since = isWritten ? td.since : (lastRecord?.at ?? td?.since);
  return {
    row,
    td: {
      name,
      labels: td?.labels ?? {},
      state,
      chartState: td?.state ?? null,
      since: since?.at ?? null,
      sinceMs: since === undefined ? null : msSince(since, evidence),
      createdAt: td?.createdAt ?? keeper?.startedAt ?? null,
      life: status?.life ?? 0,
      host: td?.host ?? null,
      kernel: td?.kernel ?? null,
      vcpus: td?.vcpus ?? null,
      memoryBytes: td?.memoryBytes ?? null,
      holdsKeySlot: row.holdsKeySlot === 'as written' ? writtenSlot(evidence) : row.holdsKeySlot,
      mrtd: td?.mrtd ?? null,
      error: td?.error ?? null,
      notes: row.told
        .map((words) => filled(words, evidence, since))
        .concat(td === undefined ? [] : ownNotes(td, isWritten), closerNotes(evidence, row)),
      keeper: keeperSeen(evidence),
      queue: null,
      leftMs: null,
    },
  };
}

function rowFor(evidence: Evidence): RecoveryRow {
  const underWay = underWayOf(evidence);
  const row = recoveryTable.find((each) => fits(each, underWay, evidence));
  // A test walks all that can be found.
  if (row === undefined) throw new Error('the recovery table has no row for what is found');
  return row;
}

export function fits(
  row: RecoveryRow,
  underWay: UnderWay,
  found: Pick<Evidence, 'presence' | 'vmm' | 'lock' | 'closer' | 'next'>,
): boolean {
  return (
    (row.underWay?.includes(underWay) ?? true) &&
    (row.presence?.includes(found.presence) ?? true) &&
    (row.vmm?.includes(found.vmm) ?? true) &&
    (row.lock === undefined || row.lock === found.lock) &&
    (row.next === undefined || row.next === found.next?.found) &&
    (row.othersHoldVms === undefined || (found.closer?.vmHolders.length ?? 0) > 0)
  );
}

function writtenState({ files, lastRecord }: Evidence): KeptState {
  const outcome = lastRecord?.outcome;
  if (outcome !== undefined && Object.hasOwn(keptStates, outcome)) return outcome as KeptState;
  const td = files.kind === 'read' ? files.status.td : null;
  return td === null ? 'creating' : keptStateOf(td.state);
}

function writtenSlot({ files, lastRecord }: Evidence): boolean {
  if (lastRecord?.outcome !== undefined) return false;
  return files.kind === 'read' && files.status.td?.holdsKeySlot === true;
}

function keeperSeen({ keeper, presence }: Evidence): KeeperSeen | null {
  if (keeper === undefined) return null;
  const { pid, tdctl, api, startedAt, unit = null } = keeper;
  // Until the last of its threads has ended it holds the lock.
  const lives = ['lives', 'stopped', 'elsewhere', 'exiting'].includes(presence);
  return { pid, tdctl, api, startedAt, unit, lives };
}

/** What its keeper waited for when it died, nobody waits for any more. */
function ownNotes(td: StatusRecord, isWritten: boolean): string[] {
  const { guestEnded = null, waitingFor = null, ...told } = td;
  return notesOf({ ...told, guestEnded, waitingFor: isWritten ? waitingFor : null });
}

function closerNotes({ closer, presence }: Evidence, row: RecoveryRow): string[] {
  if (closer === undefined) return [];
  const { journalProblems, socketIsStale, keySlotsInUse } = closer;
  const countsSlots = row.state === 'lost' && keySlotsInUse !== undefined;
  return [
    ...journalProblems,
    ...(socketIsStale && presence !== 'lives' ? ['its socket is there, and nobody serves it'] : []),
    ...(countsSlots ? [`the host has ${keySlotsInUse} key slots in use: \`tdctl host\``] : []),
  ];
}

function filled(words: string, evidence: Evidence, since: Moment | undefined): string {
  const { keeper, files, closer, name } = evidence;
  const td = files.kind === 'read' ? files.status.td : null;
  const values: Readonly<Record<string, string>> = {
    name,
    keeper: keeper === undefined ? 'a process' : `process ${keeper.pid}`,
    vmm: td?.vmm === undefined ? 'a process' : `process ${td.vmm.pid}`,
    state: td === null ? 'about to begin' : td.state,
    since: since?.at ?? 'an unknown time',
    why: files.kind === 'damaged' ? files.why : '',
    next: evidence.next === undefined ? 'a process' : `process ${evidence.next.pid}`,
    holders: (closer?.vmHolders ?? []).map(({ pid, program }) => `${program} (${pid})`).join(', '),
  };
  return words.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
}
