/**
 * The shortest way to see a violation again: as few faults, moves and TDs as still break the same
 * invariant. The search is greedy: a fault is left out for good once the run breaks without it. Only
 * what a command line can say is tried, so that the command shows what was found.
 */
import type { RehearsalHooks } from '../hooks.ts';
import { type Place, playerOf } from '../player.ts';
import { type Scenario, smallerScenarios } from '../scenario.ts';
import type { RehearsalFault } from './fault.ts';
import type { FoundViolation } from './sweep.ts';

export interface Reproduction {
  readonly scenario: Scenario;
  readonly faults: readonly RehearsalFault[];
  /** It took so many runs to find it. */
  readonly tries: number;
}

export interface ReduceOptions {
  readonly place: Place;
  readonly scenario: Scenario;
  readonly found: FoundViolation;
  /** These faults stay, because the command cannot leave them out. */
  readonly kept?: readonly RehearsalFault[] | undefined;
  readonly hooks?: RehearsalHooks | undefined;
}

type Attempt = Omit<Reproduction, 'tries'>;

export async function reduce({
  place,
  scenario,
  found,
  kept = [],
  hooks,
}: ReduceOptions): Promise<Reproduction> {
  const player = playerOf(place);
  const { invariant } = found.violation;
  let tries = 0;
  const breaks = async (attempt: Attempt) => {
    tries += 1;
    const played = await player({ ...attempt, hooks });
    return played?.violations.some((violation) => violation.invariant === invariant) === true;
  };
  const fewest = { scenario, faults: found.faults };
  for (const fault of found.faults.filter((each) => !kept.includes(each))) {
    const faults = fewest.faults.filter((each) => each !== fault);
    if (await breaks({ scenario, faults })) fewest.faults = faults;
  }
  for (const smaller of smallerScenarios(scenario)) {
    for (const faults of earlier(fewest.faults)) {
      const attempt = { scenario: smaller, faults };
      if (await breaks(attempt)) return { ...attempt, tries };
    }
  }
  return { ...fewest, tries };
}

const mostCalls = 20;

/**
 * In a smaller scenario there are fewer calls: what broke at the seventh KVM_CREATE_VM may break at the
 * first. The distances between several faults matter too, so those stay as they are.
 */
function* earlier(faults: readonly RehearsalFault[]): IterableIterator<readonly RehearsalFault[]> {
  yield faults;
  const [only] = faults;
  if (only === undefined || faults.length > 1) return;
  for (let nth = 1; nth < Math.min(only.nth ?? 1, mostCalls); nth++) yield [{ ...only, nth }];
}
