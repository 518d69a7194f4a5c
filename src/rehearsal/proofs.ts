/**
 * Three proofs that every step table must pass, as omicron has them for its sagas: a step that is done
 * twice still succeeds; a failure at any step unwinds fully; an undo that is run twice changes nothing
 * the second time.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  clearingUp,
  migrationSteps,
  rollbackSteps,
} from '../../machines/intra-host-migration/index.ts';
import {
  destinationSteps,
  runSteps,
  tdSteps,
  teardownSteps,
} from '../../machines/td-lifecycle/index.ts';
import type { AroundStep } from '../orchestrator/index.ts';
import { type Rehearsal, rehearseOn, rehearseSimulated } from './rehearse-once.ts';
import type { Scenario } from './scenario.ts';
import { openStage, type Stage, type StageOptions } from './stage.ts';

export interface Proof {
  readonly proof: 'repeated' | 'fails before' | 'fails after' | 'undone twice';
  readonly state: string;
  /** Undefined where the proof holds. */
  readonly problem?: string;
}

const [, , pausing, stopping] = runSteps;
const undos = [...teardownSteps, pausing, stopping, ...rollbackSteps, clearingUp];
const undoStates: readonly string[] = undos.map(({ state }) => state);

/** All working states of both charts but `running`, which has no end of its own to repeat or fail at. */
const provedStates: readonly string[] = [
  ...new Set(
    [...tdSteps, ...destinationSteps, ...runSteps, ...migrationSteps].map(({ state }) => state),
  ),
].filter((state) => state !== 'running' && !undoStates.includes(state));

export async function proveAll(place: StageOptions, scenario: Scenario): Promise<Proof[]> {
  const proofs: Proof[] = [];
  for (const state of provedStates) {
    proofs.push(await proveRepeated(place, scenario, state));
    proofs.push(await proveUnwinds(place, scenario, { state, when: 'fails before' }));
    proofs.push(await proveUnwinds(place, scenario, { state, when: 'fails after' }));
  }
  for (const state of undoStates) proofs.push(await proveUndoneTwice(place, scenario, state));
  return proofs;
}

async function proveRepeated(
  place: StageOptions,
  scenario: Scenario,
  state: string,
): Promise<Proof> {
  const twice: AroundStep = async (at, run) => {
    const output = await run();
    return at === state ? run() : output;
  };
  const rehearsal = await rehearseSimulated(place, { scenario, hooks: { aroundStep: twice } });
  const expected = await rehearseSimulated(place, { scenario });
  return proof('repeated', state, brokenBy(rehearsal) ?? differs(rehearsal, expected));
}

async function proveUnwinds(
  place: StageOptions,
  scenario: Scenario,
  { state, when }: { readonly state: string; readonly when: 'fails before' | 'fails after' },
): Promise<Proof> {
  let failed = false;
  const failing: AroundStep = async (at, run) => {
    if (at !== state || failed) return run();
    failed = true;
    if (when === 'fails after') await run();
    throw new Error(`the proof lets ${state} fail`);
  };
  const rehearsal = await rehearseSimulated(place, { scenario, hooks: { aroundStep: failing } });
  return proof(when, state, brokenBy(rehearsal));
}

/**
 * Undos are reached by letting something fail or by the end of the scenario. The machine is compared
 * before and after the second time.
 */
async function proveUndoneTwice(
  place: StageOptions,
  scenario: Scenario,
  state: string,
): Promise<Proof> {
  const problems: string[] = [];
  for (const failingState of [undefined, 'handingOver', 'arriving'] as const) {
    const stage = await openStage(place);
    let failed = false;
    const around: AroundStep = async (at, run) => {
      if (at === failingState && !failed) {
        failed = true;
        throw new Error(`the proof lets ${failingState} fail`);
      }
      const output = await run();
      if (at !== state) return output;
      const before = held(stage);
      await run();
      await nextTurn();
      if (held(stage) !== before) problems.push('the second undo changed the host');
      return output;
    };
    const broken = brokenBy(await rehearseOn(stage, { scenario, hooks: { aroundStep: around } }));
    if (broken !== undefined) problems.push(broken);
  }
  return proof('undone twice', state, problems[0]);
}

/** What the machine holds, as text that can be compared; its clock is left out. */
function held({ simulated }: Stage): string {
  const { clock: _, ...rest } = simulated?.snapshot() ?? { clock: undefined };
  return JSON.stringify(rest);
}

function brokenBy({ violations }: Rehearsal): string | undefined {
  const [violation] = violations;
  return violation && `${violation.invariant}: ${violation.detail}`;
}

function differs(rehearsal: Rehearsal, expected: Rehearsal): string | undefined {
  const words = ({ results }: Rehearsal) =>
    results.map(({ result, verdict }) => verdict ?? result).join(', ');
  if (words(rehearsal) === words(expected)) return undefined;
  return `ends ${words(rehearsal)} instead of ${words(expected)}`;
}

function proof(kind: Proof['proof'], state: string, problem: string | undefined): Proof {
  return { proof: kind, state, ...(problem === undefined ? {} : { problem }) };
}
