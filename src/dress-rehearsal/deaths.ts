/**
 * Processes that die as a record of a journal is written. The keeper whose journal it is stops there by itself
 * (src/keeper/faults.ts), so that nothing moves on: then SIGKILL ends whoever is to die, and it goes on.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { HostSeen } from '../keeper/hosts/operations.ts';
import type { ProcessIdentity } from '../keeper/identity.ts';
import { signal } from '../keeper/signal.ts';
import type { RecordDeath, RecordPlace, Victim } from '../rehearsal/index.ts';
import { ownerOf } from '../rehearsal/index.ts';
import type { OwnHost } from './own-host.ts';
import type { PlayedTd } from './played-td.ts';
import { endProcess, holdProcess, isStopped } from './processes.ts';

const lookEveryMs = 2;

export interface PlaceInJournal {
  readonly td: string;
  /** The how-manieth keeper of the TD, from 1. */
  readonly keeper: number;
}

/** @param first the name of the first TD of the scenario */
export function placeInJournal(at: RecordPlace, first: string): PlaceInJournal {
  const [, td = first, keeper = '1'] = /^RECORD:([^/]+)(?:\/(\d+))?$/.exec(at) ?? [];
  return { td, keeper: Number(keeper) };
}

export function recordPlace({ td, keeper }: PlaceInJournal): RecordPlace {
  return keeper === 1 ? `RECORD:${td}` : `RECORD:${td}/${keeper}`;
}

/** Who was killed, and whose each TD was at that moment. */
export interface Killing {
  readonly dies: Victim;
  readonly pids: ReadonlySet<number>;
  /** By the name of the TD: the process whose VM had it. */
  readonly owners: ReadonlyMap<string, number>;
}

interface Watched {
  readonly host: OwnHost;
  readonly tds: ReadonlyMap<string, PlayedTd>;
  /** The command that is under way for a TD. */
  readonly command: (td: string) => number | undefined;
}

export class Deaths {
  readonly killings: Killing[] = [];
  readonly #watched: Watched;
  readonly #due: { readonly death: RecordDeath; readonly place: PlaceInJournal }[];
  #isOver = false;
  #watching: Promise<void> | undefined;

  constructor(deaths: readonly RecordDeath[], watched: Watched) {
    this.#watched = watched;
    const [first = ''] = watched.tds.keys();
    this.#due = deaths.map((death) => ({ death, place: placeInJournal(death.at, first) }));
  }

  get unmet(): readonly RecordDeath[] {
    return this.#due.map(({ death }) => death);
  }

  /** Whether the command that acts on a TD is to die, and so has to be a process. */
  killsCommandOf(td: string): boolean {
    return this.#due.some(({ death, place }) => death.dies === 'command' && place.td === td);
  }

  /** TDCTL_KEEPER_FAULT of a keeper. */
  faultsOf({ td, keeper }: PlaceInJournal): readonly string[] {
    const here = this.#due.filter(({ place }) => place.td === td && place.keeper === keeper);
    return here.map(({ death: { nth = 1 } }) => `stop-at:${nth}`);
  }

  watch(): void {
    this.#watching = this.#look();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#watching;
  }

  async #look(): Promise<void> {
    while (!this.#isOver && this.#due.length > 0) {
      for (const { place } of [...this.#due]) {
        const td = this.#watched.tds.get(place.td);
        const process = td?.keeper(place.keeper);
        if (td === undefined || process === undefined || !isStopped(process)) continue;
        await this.#strike(td, place.keeper, process);
        break;
      }
      await delay(lookEveryMs);
    }
  }

  /** It stands at the earliest record that is due of it. */
  async #strike(td: PlayedTd, keeper: number, stopped: ProcessIdentity): Promise<void> {
    const here = this.#due.filter(({ place }) => place.td === td.name && place.keeper === keeper);
    const nth = Math.min(...here.map(({ death }) => death.nth ?? 1));
    for (const due of here) {
      if ((due.death.nth ?? 1) !== nth) continue;
      this.#due.splice(this.#due.indexOf(due), 1);
      await this.#kill(due.death.dies, td);
    }
    signal(stopped.pid, 'SIGCONT');
  }

  async #kill(dies: Victim, td: PlayedTd): Promise<void> {
    const { host } = this.#watched;
    const victims = this.#victims(dies, td);
    // Whoever is to die must not come into a TD between the look and its death.
    for (const victim of victims) await holdProcess(victim);
    const owners = host.isDead ? new Map() : ownersIn(await host.seen(), this.#watched.tds);
    this.killings.push({ dies, pids: new Set(victims.map(({ pid }) => pid)), owners });
    if (dies === 'host') await host.kill();
    for (const victim of victims) await endProcess(victim);
    if (dies !== 'command' && dies !== 'tdctl') return;
    const command = this.#watched.command(td.name);
    if (command !== undefined) signal(command, 'SIGKILL');
  }

  #victims(dies: Victim, td: PlayedTd): readonly ProcessIdentity[] {
    const { tds } = this.#watched;
    switch (dies) {
      case 'tdctl':
        return [...tds.values()].flatMap(({ everyKeeper }) => everyKeeper);
      case 'source':
        return listed(td.keeper(td.isMoving ? td.keepers - 1 : td.keepers));
      case 'destination':
        return listed(td.isMoving ? td.keeper(td.keepers) : undefined);
      default:
        return [];
    }
  }
}

function listed(process: ProcessIdentity | undefined): readonly ProcessIdentity[] {
  return process === undefined ? [] : [process];
}

function ownersIn(
  { snapshot, programs }: HostSeen,
  tds: ReadonlyMap<string, PlayedTd>,
): ReadonlyMap<string, number> {
  return new Map(
    [...tds.values()].flatMap(({ name, tdr }) => {
      const vm = tdr === undefined ? undefined : ownerOf(tdr, snapshot.vms);
      const pid = programs.find(({ process }) => process === vm?.mm)?.pid;
      return pid === undefined ? [] : [[name, pid] as const];
    }),
  );
}
