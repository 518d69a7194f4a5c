/** Plays a scenario once with real keepers, each a process of its own, on a shared host that is there for this run. */
import { setMaxListeners } from 'node:events';
import type { Verdict } from '../../machines/intra-host-migration/index.ts';
import { kernelAbiOf } from '../abi/kvm/kernels/index.ts';
import type { HostSeen } from '../keeper/hosts/operations.ts';
import {
  type Believed,
  describeOperation,
  hasOtherVcpus,
  isCallDeath,
  isRecordDeath,
  judgeAtEnd,
  judgeAtRest,
  type Loss,
  lossesOf,
  type Operation,
  type OperationResult,
  type PlayedRun,
  type Player,
  type Rehearsal,
  type RehearsalFault,
  type Scenario,
  type SingleOperation,
  singleOperations,
  skipped,
  someTdDied,
  twoOwners,
  undone,
  type Violation,
} from '../rehearsal/index.ts';
import { type FaultRecord, formatFault } from '../simulator/index.ts';
import { Commands } from './commands.ts';
import { Deaths } from './deaths.ts';
import { becomes, keptSourceRuns, lostByNobody } from './fates.ts';
import { type NotedJournal, Notes } from './noted.ts';
import { type Company, perform } from './operations.ts';
import { OwnHost, type OwnHostOptions } from './own-host.ts';
import { PlayedTd, type TdSource } from './played-td.ts';
import { endProcess } from './processes.ts';
import { whileKeepersWrite } from './rest.ts';

export interface DressRehearsal extends Rehearsal {
  /** What each keeper has written. */
  readonly journals: readonly NotedJournal[];
}

export interface CastOptions extends Omit<OwnHostOptions, 'signal'> {
  /** The file of a TD, by its name. */
  readonly sourceOf: (td: string) => TdSource;
}

/** For sweeps; `played` hears of each run. */
export function playerOfProcesses(cast: CastOptions): Player {
  return (run) => playWithProcesses(cast, run);
}

/** @returns undefined where `signal` has ended it. Nothing of it is left then either. */
export async function playWithProcesses(
  cast: CastOptions,
  { signal: ended, ...run }: PlayedRun,
): Promise<DressRehearsal | undefined> {
  if (ended?.aborted) return undefined;
  const signal = AbortSignal.any(ended === undefined ? [] : [ended]);
  // Each process that is started listens to it, and many are started at the same time.
  setMaxListeners(0, signal);
  let host: OwnHost;
  try {
    host = await OwnHost.start({ ...cast, signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
  const playing = new Playing(host, { cast, run, signal });
  try {
    const aborted = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const played = playing.play();
    // Whatever it still waits for ends with the processes.
    played.catch(() => undefined);
    return await Promise.race([played, aborted]);
  } finally {
    await playing.end();
  }
}

interface PlayingOptions {
  readonly cast: CastOptions;
  readonly run: Omit<PlayedRun, 'signal'>;
  readonly signal: AbortSignal;
}

class Playing {
  readonly #host: OwnHost;
  readonly #scenario: Scenario;
  readonly #options: PlayingOptions;
  readonly #tds: ReadonlyMap<string, PlayedTd>;
  readonly #deaths: Deaths;
  readonly #company: Company;
  readonly #notes = new Notes();
  readonly #violations: Violation[] = [];
  readonly #results: OperationResult[] = [];
  #startNs = 0;
  #last: HostSeen | undefined;

  constructor(host: OwnHost, options: PlayingOptions) {
    const { cast, run, signal } = options;
    const { scenario } = run;
    this.#host = host;
    this.#scenario = scenario;
    this.#options = options;
    this.#tds = new Map(
      [...scenario.tds.keys()].map((name) => [
        name,
        new PlayedTd(name, cast.sourceOf(name), host.state),
      ]),
    );
    const { checks } = scenario;
    const commands = new Commands({ host, checks, signal, deaths: () => this.#deaths });
    this.#deaths = new Deaths((run.faults ?? []).filter(isRecordDeath), {
      ...{ host, tds: this.#tds, command: (td) => commands.pidFor(td) },
    });
    this.#company = {
      ...{ host, commands, tds: this.#tds, notes: this.#notes, signal },
      found: (violation) => this.#violations.push(violation),
      seen: () => this.#seen(),
      nowMs: (seen) => this.#msOf(seen.snapshot.clock.nowNs),
    };
  }

  async play(): Promise<DressRehearsal> {
    const { run } = this.#options;
    const { slotsLeft, operations } = this.#scenario;
    const begin = await this.#seen();
    this.#startNs = begin.snapshot.clock.nowNs;
    if (slotsLeft !== undefined) await this.#host.disturb({ slotsLeft });
    const faults = run.faults ?? [];
    await this.#host.addFaults(faults.filter(isOfMachine).map(formatFault));
    this.#deaths.watch();
    for (const [index, operation] of operations.entries()) {
      this.#results.push(...(await this.#playOne(operation)));
      run.onOperation?.(index + 1);
    }
    await this.#stopTheRest();
    await this.#deaths.end();
    return this.#judged(faults);
  }

  /** All that was started goes. */
  async end(): Promise<void> {
    void this.#deaths.end();
    for (const td of this.#tds.values()) {
      for (const keeper of td.everyKeeper) await endProcess(keeper);
    }
    await this.#host.end();
  }

  /** Nobody is left to do it, or to do it on. */
  get #isOver(): boolean {
    return this.#deaths.killings.some(({ dies }) => dies === 'tdctl' || dies === 'host');
  }

  async #playOne(operation: Operation): Promise<readonly OperationResult[]> {
    if (this.#isOver) return skipped(operation, this.#notes.record);
    const before = await this.#seen();
    const startMs = this.#company.nowMs(before);
    const performed = perform(this.#company, operation, before);
    const what = describeOperation(operation);
    const results = await whileKeepersWrite(performed, { tds: this.#tds, what });
    if ('invariant' in results) {
      this.#violations.push(results);
      return singleOperations([operation]).map((each) => failed(each, startMs));
    }
    const found = [
      ...this.#fates(),
      ...(this.#host.isDead ? [] : await this.#atRest(results, before)),
    ];
    this.#violations.push(...found.map((each) => ({ ...each, after: what })));
    return results;
  }

  #fates(): readonly Violation[] {
    const { killings } = this.#deaths;
    const hasFaults = (this.#options.run.faults ?? []).some(isOfMachine);
    return [...this.#tds.values()].flatMap((td) => {
      const was = td.fate;
      td.fate = becomes(td, { killings, verdict: this.#verdictOf(td) });
      const isCaused = hasFaults || was !== 'alive';
      return isCaused ? [] : lostByNobody(td, killings);
    });
  }

  #verdictOf({ name }: PlayedTd): Verdict | undefined {
    return this.#notes.record.moves.findLast(({ td }) => td === name)?.verdict;
  }

  async #atRest(
    results: readonly OperationResult[],
    before: HostSeen,
  ): Promise<readonly Violation[]> {
    const seen = await this.#seen();
    const believed = this.#believed(seen);
    const found = [
      ...judgeAtRest(believed, seen.snapshot),
      ...(someTdDied(believed) ? [] : undone(results, before.snapshot, seen.snapshot)),
    ];
    for (const result of results) {
      const { length } = this.#deaths.killings;
      const tried = await keptSourceRuns(this.#company, result);
      // Whoever has died while it was tried has told nothing of what it was before.
      found.push(...(this.#deaths.killings.length > length ? this.#fates() : tried));
    }
    return found;
  }

  #believed(seen: HostSeen): Believed {
    return {
      tds: [...this.#tds.values()].map((td) => td.believed(seen)),
      liveProcesses: seen.programs.length,
    };
  }

  async #stopTheRest(): Promise<void> {
    for (const td of this.#tds.values()) {
      if (td.fate !== 'alive' || this.#isOver) continue;
      const operation = { do: 'stop', td: td.name } as const;
      const stopped = perform(this.#company, operation, await this.#seen());
      const what = 'stopping what is left';
      const results = await whileKeepersWrite(stopped, { tds: this.#tds, what });
      if ('invariant' in results) this.#violations.push(results);
    }
  }

  async #judged(faults: readonly RehearsalFault[]): Promise<DressRehearsal> {
    const seen = await this.#seen();
    const { record } = this.#notes;
    const toCome = new Set(seen.faultsToCome);
    const unmet = faults.filter(
      (fault) =>
        isCallDeath(fault) ||
        (isRecordDeath(fault)
          ? this.#deaths.unmet.includes(fault)
          : toCome.has(formatFault(fault as FaultRecord))),
    );
    const met = faults.filter((fault) => !unmet.includes(fault)).filter(isOfMachine);
    const losses = this.#host.isDead ? this.#diedWithHost() : this.#losses(seen, met);
    if (!this.#host.isDead) {
      const { snapshot } = seen;
      this.#violations.push(...twoOwners(snapshot));
      this.#violations.push(...judgeAtEnd(this.#believed(seen), snapshot, losses));
    }
    for (const { nowNs, used } of seen.slots) record.sampled(this.#msOf(nowNs), used);
    this.#notes.endsAt(this.#company.nowMs(seen));
    return {
      ...{ results: this.#results, record, violations: this.#violations, losses, unmet },
      ...{ elapsedMs: record.elapsedMs, clock: 'simulated', trace: [] },
      journals: this.#notes.journals,
    };
  }

  #losses({ snapshot }: HostSeen, faults: readonly FaultRecord[]): readonly Loss[] {
    return lossesOf({
      ...{ snapshot, faults, tds: [...this.#tds.values()], moves: this.#notes.record.moves },
      kernelAbi: kernelAbiOf(this.#options.cast.kernel),
      vcpusDiffer: singleOperations(this.#scenario.operations).some(hasOtherVcpus),
    });
  }

  #diedWithHost(): readonly Loss[] {
    const count = [...this.#tds.values()].filter(({ fate }) => fate === 'died').length;
    if (count === 0) return [];
    return [{ what: 'TD', count, by: 'owner', words: 'died with the process of their host' }];
  }

  /** What was seen last, where the host is no more. */
  async #seen(): Promise<HostSeen> {
    if (!this.#host.isDead || this.#last === undefined) {
      try {
        this.#last = await this.#host.seen();
      } catch (error) {
        if (!this.#host.isDead || this.#last === undefined) throw error;
      }
    }
    return this.#last;
  }

  #msOf(nowNs: number): number {
    return Math.max(0, nowNs - this.#startNs) / 1e6;
  }
}

function isOfMachine(fault: RehearsalFault): fault is FaultRecord {
  return !isCallDeath(fault) && !isRecordDeath(fault);
}

function failed(operation: SingleOperation, atMs: number): OperationResult {
  return { operation, result: 'failed', startMs: atMs, endMs: atMs };
}
