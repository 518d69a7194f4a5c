/** Plays a scenario once, on a machine of its own, with the faults it is given. */
import { intraHostMigration } from '../../machines/intra-host-migration/index.ts';
import { hasTag } from '../../machines/state-id.ts';
import { type ClockKind, clockKind, clockOf } from '../host/clock.ts';
import type { TdRun } from '../orchestrator/index.ts';
import {
  type FaultRecord,
  injectorOf,
  type Snapshot,
  type TraceEvent,
} from '../simulator/index.ts';
import { sinceEnteredMs } from './blackout.ts';
import { deathInjector, isCallDeath, isDeath, type RehearsalFault } from './faults/fault.ts';
import type { GuestPatience } from './heard-guest.ts';
import type { RehearsalHooks } from './hooks.ts';
import { guestGoesOn, guestKeepsAll } from './invariants/guests.ts';
import {
  judgeAtEnd,
  judgeAtRest,
  ownerOf,
  someTdDied,
  twoOwners,
  type Violation,
  violation,
} from './invariants/invariants.ts';
import { undone } from './invariants/undo.ts';
import { type Loss, lossesOf } from './losses.ts';
import { type OperationResult, perform } from './perform.ts';
import { type AnyStateId, RunRecord } from './record.ts';
import type { RecordedEvent } from './recorded-event.ts';
import {
  type Operation,
  type Scenario,
  type SingleOperation,
  singleOperations,
} from './scenario.ts';
import { openStage, type Stage, type StageOptions } from './stage.ts';
import { unlessStuck } from './unless-stuck.ts';
import { destinationLane, type LiveTd, World } from './world.ts';

export interface RehearseOptions {
  readonly scenario: Scenario;
  readonly faults?: readonly RehearsalFault[];
  readonly hooks?: RehearsalHooks | undefined;
  readonly listener?: ((event: RecordedEvent) => void) | undefined;
  /** Called after each operation of the scenario, with how many there have been. */
  readonly onOperation?: ((done: number) => void) | undefined;
  /** Keeps every call of the machine, which makes a run several times slower. */
  readonly traced?: boolean | undefined;
  /** A person watches, and may pause it: then no operation is late, however long it takes. */
  readonly unhurried?: boolean | undefined;
  readonly guestPatience?: GuestPatience | undefined;
}

export interface Rehearsal {
  readonly results: readonly OperationResult[];
  readonly record: RunRecord;
  readonly violations: readonly Violation[];
  readonly losses: readonly Loss[];
  /** The run never came to these faults. */
  readonly unmet: readonly RehearsalFault[];
  readonly elapsedMs: number;
  /** Whose milliseconds all times are: of the simulated machine, or of this one. */
  readonly clock: ClockKind;
  readonly trace: readonly TracedCall[];
}

/** A call of the machine, and the step of which VM it was made in. */
export interface TracedCall {
  readonly call: TraceEvent;
  readonly lane: string;
  readonly state: AnyStateId | '';
}

export async function rehearseSimulated(
  place: StageOptions,
  options: RehearseOptions,
): Promise<Rehearsal> {
  const faults = options.faults ?? [];
  const recorded = injectorOf(faults.filter((fault): fault is FaultRecord => !isDeath(fault)));
  let world: World | undefined;
  const deaths = deathInjector(faults.filter(isCallDeath), recorded, (who) => world?.kill(who));
  const stage = await openStage(place, deaths.injector);
  return rehearseOn(stage, {
    ...options,
    onWorld: (made) => {
      world = made;
    },
    happened: () => {
      const unmet: readonly RehearsalFault[] = [...recorded.unmet(), ...deaths.unmet()];
      return { unmet, met: faults.filter((fault) => !unmet.includes(fault)) };
    },
  });
}

interface OnStage extends RehearseOptions {
  readonly onWorld?: (world: World) => void;
  readonly happened?: () => {
    readonly unmet: readonly RehearsalFault[];
    readonly met: readonly RehearsalFault[];
  };
}

export async function rehearseOn(stage: Stage, options: OnStage): Promise<Rehearsal> {
  const { scenario, listener, hooks = {}, unhurried = false, guestPatience } = options;
  const { simulated } = stage;
  if (scenario.slotsLeft !== undefined) simulated?.leaveSlots(scenario.slotsLeft);
  const record = new RunRecord({
    now: clockOf(stage.host),
    usedSlots: () => simulated?.usedSlots(),
    listener,
  });
  const world = new World(stage, record, scenario.tds);
  options.onWorld?.(world);
  const trace: TracedCall[] = [];
  const keep = (call: TraceEvent) => {
    const td = call.mm === undefined ? undefined : world.tdOf(call.mm);
    const { lane, state } = record.lastEntered(td);
    trace.push({ call, lane, state });
  };
  const stopTrace = options.traced === true ? simulated?.onCall(keep) : undefined;
  const violations: Violation[] = [];
  const results: OperationResult[] = [];
  try {
    for (const [index, operation] of scenario.operations.entries()) {
      const played = world.isOver
        ? skipped(operation, record)
        : await playOne({
            world,
            scenario,
            hooks,
            unhurried,
            guestPatience,
            operation,
            violations,
          });
      results.push(...played);
      options.onOperation?.(index + 1);
    }
    const stopped =
      unhurried || simulated === undefined
        ? stopTheRest(world)
        : whileItGoesOn(stopTheRest(world), world, 'stopping what is left');
    const stuck = await stopped;
    if (stuck) violations.push(stuck);
    const { met = [], unmet = [] } = options.happened?.() ?? {};
    const snapshot = simulated?.snapshot();
    const losses =
      snapshot === undefined || simulated === undefined
        ? []
        : lossesOf({
            snapshot,
            kernelAbi: simulated.kernelAbi,
            tds: [...world.tds.values()],
            moves: record.moves,
            vcpusDiffer: singleOperations(scenario.operations).some(hasOtherVcpus),
            faults: met.filter((fault): fault is FaultRecord => !isDeath(fault)),
          });
    if (snapshot !== undefined) violations.push(...judgeAtEnd(world.believed, snapshot, losses));
    violations.push(...[...world.tds.values()].flatMap(guestKeepsAll));
    const { elapsedMs } = record;
    return {
      results,
      record,
      violations,
      losses,
      unmet,
      elapsedMs,
      clock: clockKind(stage.host),
      trace,
    };
  } finally {
    stopTrace?.();
    await stage.close();
  }
}

export function hasOtherVcpus(operation: SingleOperation): boolean {
  return operation.do === 'migrate' && operation.vcpus !== undefined;
}

/** Nobody is left to do it. */
export function skipped(operation: Operation, { elapsedMs }: RunRecord): OperationResult[] {
  const times = { startMs: elapsedMs, endMs: elapsedMs };
  return singleOperations([operation]).map((each) => ({
    operation: each,
    result: 'skipped',
    ...times,
  }));
}

interface Playing {
  readonly world: World;
  readonly scenario: Scenario;
  readonly hooks: RehearsalHooks;
  readonly unhurried: boolean;
  readonly guestPatience: GuestPatience | undefined;
  readonly operation: Operation;
  readonly violations: Violation[];
}

async function playOne(playing: Playing): Promise<readonly OperationResult[]> {
  const { world, scenario, operation, violations } = playing;
  const { simulated } = world.stage;
  const before = simulated?.snapshot();
  const startMs = world.record.elapsedMs;
  const running = [...world.tds.values()].filter(({ run }) => run?.state === 'running');
  const watched: RehearsalHooks = {
    ...playing.hooks,
    onMigrationState: (td, state) => {
      playing.hooks.onMigrationState?.(td, state);
      if (simulated === undefined || !hasTag(intraHostMigration, state, 'eitherVm')) return;
      const snapshot = simulated.snapshot();
      violations.push(...twoOwners(snapshot));
      // A TD that was tried and does not run is not given up lightly.
      if (state === 'clearingUp' && !wasEntered(world, td)) {
        violations.push(...givenUp(td.name, td.tdr, snapshot));
      }
    },
  };
  const performing = { world, checks: scenario.checks, hooks: watched };
  const performed = perform(performing, operation);
  // How long a real kernel takes is not for us to judge.
  const results =
    playing.unhurried || simulated === undefined
      ? await performed
      : await whileItGoesOn(performed, world, describeOperation(operation));
  if ('invariant' in results) {
    violations.push(results);
    const endMs = world.record.elapsedMs;
    const failed = { result: 'failed', startMs, endMs } as const;
    return singleOperations([operation]).map((each) => ({ operation: each, ...failed }));
  }
  if (simulated === undefined || before === undefined) return results;
  const found = [
    ...judgeAtRest(world.believed, simulated.snapshot()),
    ...(someTdDied(world.believed) ? [] : undone(results, before, simulated.snapshot())),
  ];
  for (const result of results) found.push(...(await keptSourceRuns(running, result)));
  for (const td of tdsOf(world, results)) {
    const silent = await guestGoesOn(td, playing.guestPatience);
    if (silent.length === 0) noteBrownout(td);
    found.push(...silent, ...guestKeepsAll(td));
  }
  const after = describeOperation(operation);
  violations.push(...found.map((each) => ({ ...each, after })));
  return results;
}

/** Whether the destination of the move under way was told to enter its vCPUs. */
function wasEntered({ record }: World, td: LiveTd): boolean {
  const lane = destinationLane(td.name, td.moves);
  return record.statesOf(lane).some(({ state }) => state === 'entering');
}

/** A TD may be given up only when no living VM has it. */
function givenUp(name: string, tdr: number | undefined, { vms }: Snapshot): Violation[] {
  const owner = tdr === undefined ? undefined : ownerOf(tdr, vms);
  if (owner === undefined) return [];
  return [violation('owner-or-verdict', `${name} is given up, and VM ${owner.id} has it`)];
}

/** tdctl's word is not believed but tried: every vCPU leaves KVM_RUN and is entered again. */
async function keptSourceRuns(
  running: readonly LiveTd[],
  { operation, verdict }: OperationResult,
): Promise<Violation[]> {
  if (operation.do !== 'migrate' || verdict !== 'sourceKept') return [];
  const td = running.find(({ name }) => name === operation.td);
  if (td?.run === undefined || td.fate !== 'alive') return [];
  const { run, name } = td;
  // In any other state the requests would not be taken, and waiting for them would not end.
  if (run.state === 'running' && (await pausesAndResumes(run))) return [];
  return [violation('kept-source-runs', `${name} was kept, and is ${run.state} when it shall run`)];
}

/** Every vCPU of the guest has counted on just now. */
function noteBrownout({ blackout, guest, run }: LiveTd): void {
  if (!guest.speaks || run?.state !== 'running') return;
  if (blackout?.parts === undefined || blackout.brownoutMs !== undefined) return;
  const ms = sinceEnteredMs(run);
  if (ms !== undefined) blackout.brownoutMs = ms;
}

function tdsOf({ tds }: World, results: readonly OperationResult[]): LiveTd[] {
  return results.flatMap(({ operation }) =>
    'td' in operation ? [tds.get(operation.td)].filter((td) => td !== undefined) : [],
  );
}

async function pausesAndResumes(run: TdRun): Promise<boolean> {
  run.send({ type: 'td.pause' });
  if (!(await run.reaches('paused'))) return false;
  run.send({ type: 'td.resume' });
  return run.reaches('running');
}

/** Stops the TDs that the scenario leaves, and those that a failure kept from being stopped. */
async function stopTheRest(world: World): Promise<void> {
  for (const { run, former } of world.tds.values()) {
    for (const each of run === undefined ? former : [run, ...former]) {
      each.stop();
      await each.ended;
    }
  }
}

/** A step on a real kernel takes its time, above all on a machine that is busy, and its end is the next event. */
const looksByClock: Readonly<Record<ClockKind, number>> = { simulated: 100, real: 600 };

/** Waits for as long as something happens. */
function whileItGoesOn<Output>(
  work: Promise<Output>,
  { record, tds, stage }: World,
  what: string,
): Promise<Output | Violation> {
  return unlessStuck(work, {
    what,
    progress: () => record.noted,
    looks: looksByClock[clockKind(stage.host)],
    states: () => [...tds].map(([name, { run }]) => [name, run?.state]),
  });
}

export function describeOperation(operation: Operation): string {
  if (operation.do === 'together') return operation.operations.map(describeOperation).join(' + ');
  return operation.do === 'update-module' ? operation.do : `${operation.do} ${operation.td}`;
}
