/** Carries out the operations of a scenario, one after the other. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MigrationOutput, Verdict } from '../../machines/intra-host-migration/index.ts';
import { hasTag } from '../../machines/state-id.ts';
import { type StepError, tdLifecycle } from '../../machines/td-lifecycle/index.ts';
import { startTd, type TdRun } from '../orchestrator/index.ts';
import { LocalSource, startMigration } from '../orchestrator/migration/index.ts';
import type { TdPlan } from '../plan/index.ts';
import { type BlackoutPart, blackoutOf, type MoveState } from './blackout.ts';
import type { RehearsalHooks } from './hooks.ts';
import type {
  MigrateOperation,
  Operation,
  ProvisionOperation,
  Scenario,
  SingleOperation,
} from './scenario.ts';
import { destinationLane, type LiveTd, type World } from './world.ts';

export interface OperationResult extends UntimedResult {
  /** Both times are milliseconds of the machine's clock, from the start of the run. */
  readonly startMs: number;
  readonly endMs: number;
}

interface UntimedResult {
  readonly operation: SingleOperation;
  readonly result: 'done' | 'refused' | 'failed' | 'lost' | 'skipped';
  readonly verdict?: Verdict;
  readonly error?: StepError | null;
  readonly leftovers?: readonly StepError[];
}

export interface Performing {
  readonly world: World;
  readonly checks: Scenario['checks'];
  readonly hooks: RehearsalHooks;
}

/** Gives a result for each operation; the results of `together` are in the order of the scenario. */
export async function perform(
  performing: Performing,
  operation: Operation,
): Promise<OperationResult[]> {
  if (operation.do !== 'together') {
    const { record } = performing.world;
    const startMs = record.elapsedMs;
    const result = await performOne(performing, operation);
    return [{ ...result, startMs, endMs: record.elapsedMs }];
  }
  const results = await Promise.all(operation.operations.map((each) => perform(performing, each)));
  return results.flat();
}

async function performOne(
  performing: Performing,
  operation: SingleOperation,
): Promise<UntimedResult> {
  switch (operation.do) {
    case 'update-module':
      await updateModule(performing.world);
      return { operation, result: 'done' };
    case 'provision':
      return provision(performing, operation);
    case 'migrate':
      return migrate(performing, operation);
    case 'pause':
    case 'resume':
      return ask(performing, operation);
    case 'stop':
      return stop(performing, operation);
  }
}

async function provision(
  { world, hooks }: Performing,
  operation: ProvisionOperation,
): Promise<UntimedResult> {
  const td = world.td(operation.td);
  const process = world.newProcess(td.name);
  td.process = process;
  world.acting = { source: process, destination: undefined };
  const run = startTd({
    host: process,
    plan: td.plan,
    now: () => world.record.elapsedMs,
    onEvent: (event) => world.record.note(td.lane, event),
    aroundStep: hooks.aroundStep,
    tellsRequests: world.record.isHeard,
    console: td.guest.console,
  });
  td.run = run;
  if (!(await run.runnable) || !(await entered(run))) {
    const { error, leftovers } = await run.ended;
    td.fate = world.dead.has(process) ? 'died' : 'failed';
    return { operation, result: 'failed', error, leftovers };
  }
  td.fate = 'alive';
  const vms = world.stage.simulated?.snapshot().vms ?? [];
  td.tdr = world.vmOf(td, vms)?.td?.tdr;
  return { operation, result: 'done' };
}

async function entered(run: TdRun): Promise<boolean> {
  run.send({ type: 'td.start' });
  return run.reaches('running');
}

async function ask(
  { world }: Performing,
  operation: Operation & { do: 'pause' | 'resume' },
): Promise<UntimedResult> {
  const td = world.td(operation.td);
  if (td.run === undefined || td.fate !== 'alive') return { operation, result: 'skipped' };
  const wanted = operation.do === 'pause' ? 'paused' : 'running';
  td.run.send({ type: operation.do === 'pause' ? 'td.pause' : 'td.resume' });
  if (await td.run.reaches(wanted)) return { operation, result: 'done' };
  td.fate = 'failed';
  return { operation, result: 'failed', error: (await td.run.ended).error };
}

async function stop(
  { world }: Performing,
  operation: Operation & { do: 'stop' },
): Promise<UntimedResult> {
  const td = world.td(operation.td);
  if (td.run === undefined || td.fate !== 'alive') return { operation, result: 'skipped' };
  world.acting = { source: td.process, destination: undefined };
  td.run.stop();
  const { error, leftovers } = await td.run.ended;
  if (td.fate === 'alive') td.fate = 'stopped';
  return { operation, result: error === null ? 'done' : 'failed', error, leftovers };
}

async function migrate(
  { world, checks, hooks }: Performing,
  operation: MigrateOperation,
): Promise<UntimedResult> {
  const td = world.td(operation.td);
  const { run: source } = td;
  if (source === undefined || td.fate !== 'alive') return { operation, result: 'skipped' };
  td.moves += 1;
  const hop = td.moves;
  const { cgroup } = operation;
  const process = world.newProcess(td.name, cgroup?.path);
  if (cgroup?.max !== undefined) {
    world.stage.simulated?.setCgroupMax({ path: cgroup.path, max: cgroup.max });
  }
  world.acting = { source: td.process, destination: process };
  const lane = destinationLane(td.name, hop);
  const moveLane = `${td.name} move ${hop}`;
  const parts: BlackoutPart[] = [];
  const states: MoveState[] = [];
  const migration = startMigration({
    source: new LocalSource(source),
    host: process,
    checks,
    destinationPlan: destinationPlan(td.plan, operation.vcpus),
    onEvent: (event) => {
      world.record.note(moveLane, event);
      if (event.event === 'step.ended') parts.push({ step: event.step, ms: event.durationMs });
      if (event.event !== 'state.entered') return;
      states.push({ state: event.state, atMs: world.record.elapsedMs });
      hooks.onMigrationState?.(td, event.state);
    },
    onDestinationEvent: (event) => world.record.note(lane, event),
    aroundStep: hooks.aroundStep,
    tellsRequests: world.record.isHeard,
  });
  const output = await migration.ended;
  const { verdict, error, leftovers } = output;
  world.record.moves.push({ td: td.name, hop, verdict, error, leftovers });
  const blackout = blackoutOf({ states, parts, source, destination: migration.destination });
  if (blackout !== undefined) {
    td.blackout = { td: td.name, hop, ...blackout };
    world.record.blackouts.push(td.blackout);
  }
  settle(td, output, world.dead.has(process));
  if (verdict === 'completed' || verdict === 'destinationOnly') {
    if (verdict === 'completed') await world.retire(td.process);
    else td.former.push(source);
    td.run = migration.destination;
    td.process = process;
    td.lane = lane;
    if (world.dead.has(process)) td.fate = 'died';
  }
  world.acting = { source: td.process, destination: undefined };
  return { operation, result: resultOf(output), verdict, error, leftovers };
}

/** A TD that died with its owner is not one that the move has lost. */
function settle(td: LiveTd, { verdict }: MigrationOutput, destinationDied: boolean): void {
  if (td.fate !== 'alive' || verdict !== 'lost') return;
  td.fate = destinationDied ? 'died' : 'lost';
}

function resultOf({ verdict }: MigrationOutput): UntimedResult['result'] {
  if (verdict === 'sourceKept') return 'refused';
  return verdict === 'lost' ? 'lost' : 'done';
}

function destinationPlan(plan: TdPlan, vcpus: number | undefined): TdPlan {
  if (vcpus === undefined) return plan;
  return { ...plan, vcpuIds: Array.from({ length: vcpus }, (_, id) => id) };
}

/**
 * A TDX module update meets TDs that are being built with FW_UPLOAD_ERR_BUSY, and the kernel leaves it
 * to user space to wait. What the new module changes is not simulated.
 */
async function updateModule(world: World): Promise<void> {
  const isBuilding = () =>
    [...world.tds.values()].some(
      ({ run }) => run !== undefined && hasTag(tdLifecycle, run.state, 'building'),
    );
  while (isBuilding()) await nextTurn();
}
