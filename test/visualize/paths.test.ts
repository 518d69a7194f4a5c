import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { machines } from '../../machines/index.ts';
import { indexChart } from '../../src/visualize/chart-model.ts';
import { extractChart } from '../../src/visualize/extract.ts';
import { edgeTextInFull } from '../../src/visualize/labels.ts';
import { shortestPaths } from '../../src/visualize/paths.ts';
import { difficultNames } from './support/difficult-names.ts';
import { buildMachine, machineShapes } from './support/generated-machines.ts';

const [lifecycle] = machines;

function pathTo(state: string): string[] | undefined {
  const model = extractChart(lifecycle);
  const chart = indexChart(model);
  const path = shortestPaths(model).find((one) => one.state === state);
  return path?.edges?.map((id) => {
    const edge = model.edges.find((one) => one.id === id);
    return edge === undefined ? id : edgeTextInFull(edge, chart);
  });
}

describe('shortest paths', () => {
  test('reach every state of every machine', () => {
    for (const entry of machines) {
      const unreached = shortestPaths(extractChart(entry)).filter(({ edges }) => edges === null);
      expect(unreached).toEqual([]);
    }
  });

  test('lead through successes, failures and guards', () => {
    expect(pathTo('absent')).toEqual([]);
    expect(pathTo('destroyed')).toEqual(['td.stop']);
    expect(pathTo('provisioning.cappingVcpus')).toEqual([
      'td.create',
      'done(createVm)',
      'done(readLimits) [vcpusFit]',
    ]);
    expect(pathTo('failed')).toEqual([
      'td.create',
      'error(createVm)',
      'done(releaseTd) [allGivenBackAfterError]',
    ]);
  });

  test('reach a state that is only passed through', () => {
    expect(pathTo('preparing.prepared')).toEqual(pathTo('receiving'));
  });

  property.prop(
    [
      machineShapes.filter(({ edges }) => edges.every(({ kind }) => kind !== 'always')),
      fc.constant(0),
    ],
    { numRuns: 40 },
  )(
    'of any machine are transitions that exist, each from a state that the way has reached',
    (shape) => {
      const model = extractChart({
        id: 'made',
        version: 1,
        machine: buildMachine(shape),
        steps: [],
      });
      const byId = new Map(model.edges.map((edge) => [edge.id, edge]));
      for (const { edges } of shortestPaths(model)) {
        for (const id of edges ?? []) expect(byId.get(id)?.targets).toBeDefined();
      }
    },
  );

  property.prop([machineShapes, difficultNames], { numRuns: 100 })(
    'are the same whatever the states are called',
    (shape, nameOf) => {
      // JavaScript puts keys that look like numbers first, which makes another chart of them.
      fc.pre(
        Array.from({ length: 100 }, (_, at) => nameOf(at)).every((name) => !/^\d+$/.test(name)),
      );
      const pathsOf = (machine: ReturnType<typeof buildMachine>) => {
        const model = extractChart({ id: 'made', version: 1, machine, steps: [] });
        const states = indexChart(model)
          .nodes.slice(1)
          .map(({ id }) => id);
        const paths = shortestPaths(model);
        expect(paths.map(({ state }) => state)).toEqual(states);
        return paths.map(({ edges }) => edges);
      };
      expect(pathsOf(buildMachine(shape, nameOf))).toEqual(pathsOf(buildMachine(shape)));
    },
  );
});
