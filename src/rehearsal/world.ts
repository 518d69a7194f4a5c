/** The TDs of a scenario while it is played: where each is, and what became of it. */
import { unobserved } from '../host/observed.ts';
import type { Host } from '../host/port.ts';
import type { TdRun } from '../orchestrator/index.ts';
import type { TdPlan } from '../plan/index.ts';
import type { Snapshot, VmSnapshot } from '../simulator/index.ts';
import type { Believed, Fate } from './believed.ts';
import { HeardGuest } from './heard-guest.ts';
import type { Blackout, RunRecord } from './record.ts';
import type { Stage } from './stage.ts';

export interface LiveTd {
  readonly name: string;
  readonly plan: TdPlan;
  fate: Fate;
  /** The VM that has it; the last one that had it once it is over. */
  run: TdRun | undefined;
  process: Host | undefined;
  /** The VMs that the TD has left, or never reached. */
  readonly former: TdRun[];
  /** So many moves were begun. */
  moves: number;
  /** The lane of `run` in the record. */
  lane: string;
  /** What its guest says, where guests run. */
  readonly guest: HeardGuest;
  /** That of its last move. */
  blackout: Blackout | undefined;
  /** Where its TDR is: the TD's identity on the machine, wherever it moves. */
  tdr: number | undefined;
}

/** The lane of the VM that the `hop`-th move leads to. */
export function destinationLane(name: string, hop: number): string {
  return `${name}→${hop + 1}`;
}

export type Who = 'tdctl' | 'source' | 'destination';

export class World {
  readonly stage: Stage;
  readonly record: RunRecord;
  readonly tds: ReadonlyMap<string, LiveTd>;
  /** The processes that a fault has killed. */
  readonly dead = new Set<Host>();
  readonly #processes = new Set<Host>();
  readonly #tdsByMm = new Map<number, string>();
  /** The two sides of what is being done. */
  acting: { source: Host | undefined; destination: Host | undefined } = {
    source: undefined,
    destination: undefined,
  };

  constructor(stage: Stage, record: RunRecord, plans: ReadonlyMap<string, TdPlan>) {
    this.stage = stage;
    this.record = record;
    this.tds = new Map([...plans].map(([name, plan]) => [name, planned(name, plan)]));
    this.#processes.add(stage.host);
  }

  td(name: string): LiveTd {
    const td = this.tds.get(name);
    if (!td) throw new Error(`the scenario has no TD ${name}`);
    return td;
  }

  newProcess(td: string, cgroup = '/'): Host {
    const process = this.stage.newProcess(cgroup);
    this.#processes.add(process);
    const mm = this.stage.simulated?.mmOf(process);
    if (mm !== undefined) this.#tdsByMm.set(mm, td);
    return process;
  }

  /** The TD whose process has this address space; undefined for tdctl's own process. */
  tdOf(mm: number): string | undefined {
    return this.#tdsByMm.get(mm);
  }

  /** A process whose TD has moved away ends. tdctl's own does not, where one process does it all. */
  async retire(process: Host | undefined): Promise<void> {
    if (process === undefined || process === this.stage.host || this.dead.has(process)) return;
    this.#processes.delete(process);
    await process.close();
  }

  get liveProcesses(): number {
    return this.#processes.size - this.dead.size;
  }

  get believed(): Believed {
    const { liveProcesses } = this;
    const tds = [...this.tds.values()].map((td) => ({
      ...{ name: td.name, fate: td.fate, tdr: td.tdr, state: td.run?.state },
      vmIn: (vms: Snapshot['vms']) => this.vmOf(td, vms),
    }));
    return { tds, liveProcesses };
  }

  /** tdctl itself is dead: whatever it was doing ends here. */
  get isOver(): boolean {
    return this.dead.has(this.stage.host);
  }

  kill(who: Who): void {
    const { source, destination } = this.acting;
    const killed = { tdctl: [...this.#processes], source: [source], destination: [destination] }[
      who
    ];
    for (const process of killed) {
      if (process === undefined || this.dead.has(process)) continue;
      this.dead.add(process);
      this.stage.simulated?.kill(process);
    }
    for (const td of this.tds.values()) {
      const isOwned = td.process !== undefined && this.dead.has(td.process);
      if (td.fate === 'alive' && isOwned) td.fate = 'died';
    }
  }

  /** The VM that the kernel has for this TD's fd; undefined once it is gone, or on a real machine. */
  vmOf(td: LiveTd, vms: Snapshot['vms']): VmSnapshot | undefined {
    const { simulated } = this.stage;
    const handles = td.run?.session.handles;
    if (simulated === undefined || handles?.has('vm') !== true) return undefined;
    const id = simulated.vmId(unobserved(handles.get('vm')));
    return vms.find((vm) => vm.id === id);
  }
}

function planned(name: string, plan: TdPlan): LiveTd {
  return {
    name,
    plan,
    fate: 'planned',
    run: undefined,
    process: undefined,
    former: [],
    moves: 0,
    lane: name,
    guest: new HeardGuest(plan),
    blackout: undefined,
    tdr: undefined,
  };
}
