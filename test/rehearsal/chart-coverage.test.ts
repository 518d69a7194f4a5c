/** How much of the charts the sweeps walk. The figures are a line of CI. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { machines } from '../../machines/index.ts';
import { rehearseSimulated, singleFaults } from '../../src/rehearsal/index.ts';
import { chartCoverage } from '../../src/visualize/coverage.ts';
import { extractChart } from '../../src/visualize/extract.ts';
import { profile } from '../support/hello-plan.ts';
import { scenarioOf } from './play.ts';

/** `upstream` builds and runs, `v2` moves, `series-v9` makes a destination that is a TD of its own. */
const kernels = ['upstream-7.3', 'rfc-migration-v2', 'series-v9'];

/** What no single fault leads to: a stop does, or a release that keeps failing. */
const notBySweeps: Readonly<Record<string, readonly string[]>> = {
  'td-lifecycle': ['migratingOut.stopRequested', 'interrupting', 'stuck'],
  'intra-host-migration': ['destinationOnly'],
};

/** Every run and each of its VMs is a recorded run of its own. */
async function recordSweep(kernelAbi: string, lines: string[]): Promise<void> {
  const place = { profile, kernelAbi };
  const scenario = await scenarioOf({ kernelAbi });
  const { trace } = await rehearseSimulated(place, { scenario, traced: true });
  for (const [at, { faults }] of [{ faults: [] }, ...singleFaults(trace)].entries()) {
    await rehearseSimulated(place, {
      scenario,
      faults,
      listener: ({ lane, event }) =>
        lines.push(JSON.stringify({ ...event, td: `${kernelAbi} ${at} ${lane}` })),
    });
  }
}

test('the sweeps walk every state of the charts but those that only an order leads to', async () => {
  const lines: string[] = [];
  for (const kernelAbi of kernels) await recordSweep(kernelAbi, lines);
  const file = { path: 'sweeps', text: lines.join('\n') };
  // A rehearsal plays no VMM: test/machines/vmm-td.test.ts walks that chart.
  const played = machines.filter(({ id }) => Object.hasOwn(notBySweeps, id));
  const covered = played.map((entry) => {
    const model = extractChart(entry);
    return { id: model.id, model, ...chartCoverage(model, [file]) };
  });
  const report = covered.map(({ id, states, transitions, runs }) => {
    const of = ({ visited, missed }: typeof states) =>
      `${visited.length} of ${visited.length + missed.length}`;
    return `${id}: ${of(states)} states and ${of(transitions)} transitions in ${runs} runs`;
  });
  mkdirSync('.test-results', { recursive: true });
  writeFileSync('.test-results/chart-coverage.txt', `${report.join('\n')}\n`);
  expect(Object.fromEntries(covered.map(({ id, states }) => [id, states.missed]))).toEqual(
    notBySweeps,
  );
});
