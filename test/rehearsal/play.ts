/** Rehearsals of examples/hello.yaml, with what a test wants to be different. */
import {
  parseRehearsalFault,
  type Rehearsal,
  type RehearsalFault,
  type RehearsalHooks,
  rehearseSimulated,
  type Scenario,
  standardScenario,
} from '../../src/rehearsal/index.ts';
import { helloPlan, profile } from '../support/hello-plan.ts';

export interface Playing {
  readonly kernelAbi: string;
  readonly count?: number;
  readonly hops?: number;
  readonly checks?: Scenario['checks'];
  readonly slotsLeft?: number;
  readonly destinationVcpus?: number;
  readonly faults?: readonly string[];
  readonly hooks?: RehearsalHooks;
  readonly traced?: boolean;
}

export async function scenarioOf({
  kernelAbi,
  count = 1,
  hops = 1,
  checks = 'all',
  slotsLeft,
  destinationVcpus,
}: Playing): Promise<Scenario> {
  const plan = await helloPlan(kernelAbi);
  return standardScenario({ plan, count, hops, checks, slotsLeft, destinationVcpus });
}

export async function play(playing: Playing): Promise<Rehearsal> {
  const { kernelAbi, hooks, traced } = playing;
  return rehearseSimulated(
    { profile, kernelAbi },
    {
      scenario: await scenarioOf(playing),
      faults: (playing.faults ?? []).map(fault),
      hooks,
      traced,
    },
  );
}

export function fault(text: string): RehearsalFault {
  const parsed = parseRehearsalFault(text);
  if ('problem' in parsed) throw new Error(`${parsed.word} ${parsed.problem}`);
  return parsed;
}

/** `done`, `completed`, `done` for a TD that was built, moved and stopped. */
export function words({ results }: Rehearsal): string[] {
  return results.map(({ result, verdict }) => verdict ?? result);
}
