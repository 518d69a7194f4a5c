/** Carries out the operations of a scenario by what `tdctl` has for each: create, pause, resume, migrate, stop. */
import { setTimeout as delay } from 'node:timers/promises';
import type { StepError } from '../../machines/step-error.ts';
import type { TdctlError } from '../errors/index.ts';
import type { HostSeen } from '../keeper/hosts/operations.ts';
import { readKeptTds } from '../keeper/kept-tds.ts';
import { isOver, type KeptState } from '../keeper/state.ts';
import {
  blackoutOf,
  destinationLane,
  type Operation,
  type OperationResult,
  type SingleOperation,
  twoOwners,
  type Violation,
  violation,
} from '../rehearsal/index.ts';
import type { Commands, Moved, Refused } from './commands.ts';
import { asWritten, eventsIn, type Notes, statesOf, stepErrorOf } from './noted.ts';
import type { OwnHost } from './own-host.ts';
import type { PlayedTd, RestState } from './played-td.ts';
import { atRest, leftByTheDead } from './rest.ts';

export interface Company {
  readonly host: OwnHost;
  readonly commands: Commands;
  readonly tds: ReadonlyMap<string, PlayedTd>;
  readonly notes: Notes;
  readonly signal: AbortSignal;
  readonly found: (violation: Violation) => void;
  readonly seen: () => Promise<HostSeen>;
  readonly nowMs: (seen: HostSeen) => number;
}

type Came = Pick<OperationResult, 'result' | 'verdict' | 'error' | 'leftovers'>;
type OnTd<Do extends Operation['do']> = Extract<SingleOperation, { readonly do: Do }>;

/** Gives a result for each operation; those of `together` are begun at the same time. */
export async function perform(
  company: Company,
  operation: Operation,
  before: HostSeen,
): Promise<OperationResult[]> {
  if (operation.do === 'together') {
    const all = operation.operations.map((each) => perform(company, each, before));
    return (await Promise.all(all)).flat();
  }
  const startMs = company.nowMs(before);
  const came = await performOne(company, operation, startMs);
  await leftByTheDead(company.host, company);
  return [{ operation, ...came, startMs, endMs: company.nowMs(await company.seen()) }];
}

async function performOne(
  company: Company,
  operation: SingleOperation,
  startMs: number,
): Promise<Came> {
  if (operation.do === 'update-module') return await updateModule(company);
  const td = company.tds.get(operation.td);
  if (td === undefined) throw new Error(`the scenario has no TD ${operation.td}`);
  if (operation.do !== 'provision' && td.fate !== 'alive') return { result: 'skipped' };
  switch (operation.do) {
    case 'provision':
      return await provision(company, td, startMs);
    case 'migrate':
      return await migrate(company, td, { operation, startMs });
    case 'pause':
      return await act(company, td, { verb: 'pause', wanted: ['paused'] });
    case 'resume':
      return await act(company, td, { verb: 'resume', wanted: ['running'] });
    case 'stop':
      return await act(company, td, { verb: 'stop', wanted: [] });
  }
}

async function provision(company: Company, td: PlayedTd, startMs: number): Promise<Came> {
  const { commands, signal, notes } = company;
  const refused = await commands.create(td);
  await atRest(td, { wanted: ['running'], signal });
  const { listed, records } = td;
  const journal = notes.journal({
    td: td.name,
    keeper: 1,
    lane: td.name,
    fromMs: startMs,
    again: 0,
  });
  const states = statesOf(records);
  journal.records.push(...states.map((state) => ({ state, isOfMove: false, hasCommand: true })));
  notes.events(td.name, eventsIn(records), startMs);
  if (listed?.state !== 'running') return { result: 'failed', error: errorOf(td, refused) };
  td.fate = 'alive';
  const { snapshot, ...seen } = await company.seen();
  td.tdr = td.believed({ snapshot, ...seen }).vmIn(snapshot.vms)?.td?.tdr;
  return { result: 'done' };
}

async function act(
  company: Company,
  td: PlayedTd,
  {
    verb,
    wanted,
  }: { readonly verb: 'pause' | 'resume' | 'stop'; readonly wanted: readonly RestState[] },
): Promise<Came> {
  const { commands, signal } = company;
  const refused = await commands.act(td, verb);
  // One that was refused, as its keeper has died, is as it is.
  const any: readonly RestState[] = ['running', 'paused'];
  await atRest(td, { wanted: refused === null ? wanted : any, signal });
  noteSince(company, td, { isOfMove: false, hasCommand: false });
  const state = td.listed?.state ?? 'lost';
  if (verb === 'stop' && state === 'destroyed') return { result: 'done', error: null };
  if (wanted.some((each) => each === state)) return { result: 'done' };
  return { result: 'failed', error: errorOf(td, refused) };
}

/** What its keeper has written since. */
function noteSince(
  { notes }: Company,
  { name, keepers, records }: PlayedTd,
  about: { readonly isOfMove: boolean; readonly hasCommand: boolean },
): void {
  const journal = notes.journalOf(name, keepers);
  const { lane } = journal;
  const known = journal.records.length - journal.again;
  const fresh = records.slice(known);
  journal.records.push(
    ...statesOf(records)
      .slice(known)
      .map((state) => ({ state, ...about })),
  );
  notes.events(lane, eventsIn(fresh), journal.fromMs);
}

function laneOf(td: string, keeper: number): string {
  return keeper === 1 ? td : destinationLane(td, keeper - 1);
}

async function migrate(
  company: Company,
  td: PlayedTd,
  { operation, startMs }: { readonly operation: OnTd<'migrate'>; readonly startMs: number },
): Promise<Came> {
  const { commands, host, signal, notes } = company;
  const { cgroup: { path = '/', max } = {} } = operation;
  if (max !== undefined) await host.disturb({ cgroup: { path, max } });
  td.moves += 1;
  const source = td.owner;
  td.ranBefore = td.listed?.state === 'running';
  const watching = watchList(company, td);
  const { refused, report, events } = await commands.migrate(td, { cgroup: path });
  const wanted: readonly RestState[] = td.ranBefore ? ['running'] : ['paused', 'runnable'];
  await atRest(td, { wanted, signal });
  const passed = await watching();
  td.isMoving = false;
  const { listed, owner } = td;
  const isAlive = listed !== undefined && !isOver(listed.state);
  const hasCome = owner?.pid !== source?.pid;
  noteMove(company, td, { events, startMs, hasCome });
  const verdict = isAlive
    ? hasCome
      ? (report?.verdict ?? 'completed')
      : 'sourceKept'
    : (report?.verdict ?? 'lost');
  if (isAlive && passed.over !== undefined) {
    company.found(
      violation('owner-or-verdict', `list called ${td.name} ${passed.over} on its way`),
    );
  }
  const ended = endOf(events);
  const told = ended?.error ?? null;
  const error =
    verdict === 'completed' ? null : told === null ? errorOf(td, refused) : stepErrorOf(told);
  const leftovers = ended?.leftovers.map(stepErrorOf) ?? [];
  const { name, moves: hop } = td;
  notes.record.moves.push({ td: name, hop, verdict, error, leftovers });
  const blackout = blackoutIn(events);
  if (blackout !== undefined) notes.record.blackouts.push({ td: name, hop, ...blackout });
  const result = verdict === 'sourceKept' ? 'refused' : verdict === 'lost' ? 'lost' : 'done';
  return { result, verdict, error, leftovers };
}

type MoveEvents = Moved['events'];

function endOf(events: MoveEvents) {
  return events.findLast((event) => event.event === 'migration.ended');
}

/** On the clock of the machine. */
function blackoutIn(events: MoveEvents) {
  const states = events.flatMap(({ event, state, elapsedMs }) =>
    event === 'state.entered' ? [{ state, atMs: elapsedMs }] : [],
  );
  return blackoutOf({ states, parts: [], source: undefined, destination: undefined });
}

interface NotingMove {
  readonly events: MoveEvents;
  readonly startMs: number;
  readonly hasCome: boolean;
}

function noteMove(
  { notes }: Company,
  td: PlayedTd,
  { events, startMs, hasCome }: NotingMove,
): void {
  const about = { isOfMove: true, hasCommand: true };
  const { name, keepers } = td;
  notes.events(`${name} move ${td.moves}`, events, startMs);
  const before = notes.journalOf(name, keepers - 1);
  const left = hasCome ? td.recordsBefore : td.records;
  const known = before.records.length - before.again;
  before.records.push(
    ...statesOf(left)
      .slice(known)
      .map((state) => ({ state, ...about })),
  );
  notes.events(before.lane, eventsIn(left.slice(known)), before.fromMs);
  if (!hasCome) {
    // The next one counts on from here.
    td.keepers -= 1;
    return;
  }
  const lane = laneOf(name, keepers);
  const prepared = events.find(({ state }) => state.includes('preparingDestination'));
  const fromMs = startMs + (prepared?.elapsedMs ?? 0);
  const { records } = td;
  const written = asWritten(records, left);
  const journal = notes.journal({
    ...{ td: name, keeper: keepers, lane, fromMs, again: written.length - records.length },
  });
  journal.records.push(...statesOf(written).map((state) => ({ state, ...about })));
  notes.events(lane, eventsIn(records), fromMs);
}

const watchEveryMs = 10;

/** While a TD moves, `list` has it once, and no VM but one can run it. Gives what it was called on the way. */
function watchList(
  { host, found, signal }: Company,
  { name }: PlayedTd,
): () => Promise<{ readonly over: KeptState | undefined }> {
  let isOnItsWay = true;
  let over: KeptState | undefined;
  const watching = (async () => {
    while (isOnItsWay && !host.isDead && !signal.aborted) {
      const named = readKeptTds(host.state).filter((td) => td.name === name);
      if (named.length !== 1) {
        found(violation('owner-or-verdict', `list has ${name} ${named.length} times`));
      }
      const [{ state } = { state: 'lost' as const }] = named;
      if (isOver(state)) over ??= state;
      const seen = await host.seen().catch(() => undefined);
      if (seen !== undefined) for (const each of twoOwners(seen.snapshot)) found(each);
      await delay(watchEveryMs);
    }
  })();
  return async () => {
    isOnItsWay = false;
    await watching;
    return { over };
  };
}

/** As a TDX module update has to wait until no TD is being built. */
async function updateModule({ tds, signal }: Company): Promise<Came> {
  const isBuilding = () =>
    [...tds.values()].some(({ listed }) => listed !== undefined && listed.state === 'creating');
  while (isBuilding() && !signal.aborted) await delay(watchEveryMs);
  return { result: 'done' };
}

/** What is written of it in the directory goes before what a command was told. */
function errorOf(td: PlayedTd, refused: Refused): StepError | null {
  const written = td.listed?.error;
  if (written !== undefined && written !== null) return stepErrorOf(written);
  if (refused !== null) return ofCommand(refused);
  const [message] = td.listed?.notes ?? [];
  return message === undefined ? null : { step: 'running', code: 'TDCTL_E_NOT_ANSWERING', message };
}

function ofCommand({ op, code, message, details, hint }: TdctlError): StepError {
  return { step: op, code, message, details, hint };
}
