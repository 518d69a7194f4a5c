/** Operations at the same time: two TDs that move beside each other. */
import { expect, test } from 'vitest';
import {
  type FaultCase,
  rehearseSimulated,
  type Scenario,
  singleFaults,
  sweep,
} from '../../src/rehearsal/index.ts';
import { profile } from '../support/hello-plan.ts';
import { scenarioOf } from './play.ts';

const kernelAbi = 'rfc-migration-v2';
const place = { profile, kernelAbi };

/** hello-1 and hello-2 are built, move and end beside each other. */
async function beside(): Promise<Scenario> {
  const scenario = await scenarioOf({ kernelAbi, count: 2 });
  const together = (verb: 'provision' | 'migrate' | 'stop') => ({
    do: 'together' as const,
    operations: scenario.operations.filter((operation) => operation.do === verb),
  });
  return {
    ...scenario,
    operations: [together('provision'), together('migrate'), together('stop')],
    standard: undefined,
  };
}

test('each operation has a result of its own', async () => {
  const { results, violations } = await rehearseSimulated(place, { scenario: await beside() });
  expect(results.map(({ operation: { do: verb }, result }) => [verb, result])).toEqual([
    ['provision', 'done'],
    ['provision', 'done'],
    ['migrate', 'done'],
    ['migrate', 'done'],
    ['stop', 'done'],
    ['stop', 'done'],
  ]);
  expect(violations).toEqual([]);
});

test('a call is put down to the TD whose process made it', async () => {
  const { trace } = await rehearseSimulated(place, { scenario: await beside(), traced: true });
  const madeIn = (lane: string) =>
    trace
      .filter((each) => each.lane === lane && each.state.startsWith('preparing'))
      .map(({ call }) => (call.kind === 'ioctl' ? call.request.request : call.kind));
  expect(madeIn('hello-1→2').filter((name) => name === 'KVM_CREATE_VCPU')).toHaveLength(4);
  expect(madeIn('hello-1→2')).toEqual(madeIn('hello-2→2'));
});

test('no fault breaks an invariant, also where one move is taken back and the other is not', async () => {
  const scenario = await beside();
  const { trace } = await rehearseSimulated(place, { scenario, traced: true });
  const cases = singleFaults(trace).filter(isOfMove);
  const swept = await sweep({ place, scenario, cases });
  expect(swept.violations).toEqual([]);
  expect(swept.outcomes.get('source kept')).toBeGreaterThan(50);
});

function isOfMove({ lane, state }: FaultCase): boolean {
  return lane.includes(' move ') || state.startsWith('preparing');
}
