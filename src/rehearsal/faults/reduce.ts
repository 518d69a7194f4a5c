/**
 * The shortest way to see a violation again: as few faults, moves and TDs as still break the same
 * invariant. Greedy: a fault or a move is left out for good once the run breaks without it.
 */
import type { RehearsalHooks } from '../hooks.ts';
import { rehearseSimulated } from '../rehearse-once.ts';
import type { Operation, Scenario } from '../scenario.ts';
import type { StageOptions } from '../stage.ts';
import type { RehearsalFault } from './fault.ts';
import type { FoundViolation } from './sweep.ts';

export interface Reproduction {
  readonly scenario: Scenario;
  readonly faults: readonly RehearsalFault[];
  /** Runs that it took to find it. */
  readonly tries: number;
}

export interface ReduceOptions {
  readonly place: StageOptions;
  readonly scenario: Scenario;
  readonly found: FoundViolation;
  readonly hooks?: RehearsalHooks | undefined;
}

export async function reduce({
  place,
  scenario,
  found,
  hooks,
}: ReduceOptions): Promise<Reproduction> {
  const { invariant } = found.violation;
  let tries = 0;
  const breaks = async (attempt: Omit<Reproduction, 'tries'>) => {
    tries += 1;
    const { violations } = await rehearseSimulated(place, { ...attempt, hooks });
    return violations.some((violation) => violation.invariant === invariant);
  };
  let shortest = { scenario, faults: found.faults };
  for (let index = 0; index < shortest.faults.length; ) {
    const faults = shortest.faults.toSpliced(index, 1);
    if (await breaks({ ...shortest, faults })) shortest = { ...shortest, faults };
    else index += 1;
  }
  for (let index = shortest.scenario.operations.length - 1; index >= 0; index--) {
    const operations = without(shortest.scenario.operations, index);
    const smaller = { ...shortest.scenario, operations };
    if (await breaks({ ...shortest, scenario: smaller })) {
      shortest = { ...shortest, scenario: smaller };
      index = Math.min(index, operations.length);
    }
  }
  return { ...shortest, tries };
}

/** A TD that is never provisioned has no other operations either. */
function without(operations: readonly Operation[], index: number): readonly Operation[] {
  const dropped = operations[index];
  const rest = operations.toSpliced(index, 1);
  if (dropped?.do !== 'provision') return rest;
  return rest.filter((each) => !('td' in each) || each.td !== dropped.td);
}
