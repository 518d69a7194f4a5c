/** Charts of many states, whose layout must not cost more than its share. */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { ChartEdge, ChartModel } from '../../src/visualize/chart-model.ts';
import { graphOf } from '../../src/visualize/layout/layout.ts';
import { rowsOfLines } from '../../src/visualize/layout/rows.ts';
import { plainState } from './support/plain-state.ts';

const direction = 'down';

describe('a chart of many states that lead anywhere', () => {
  property.prop([fc.integer({ min: 2, max: 700 }), fc.integer({ min: 1 })], { numRuns: 8 })(
    'has lines through no more rows than its number of states allows',
    (states, seed) => {
      const { lines, chart } = graphOf(chartOf(states, seed), { direction });
      const rows = [...rowsOfLines(lines, chart).values()].reduce((sum, each) => sum + each, 0);
      expect(rows).toBeLessThanOrEqual(4000 + 4 * (states + 1));
    },
  );

  property.prop([fc.integer({ min: 2, max: 700 }), fc.integer({ min: 1 })], { numRuns: 8 })(
    'tells each transition once: by a line, or in the box of its state',
    (states, seed) => {
      const model = chartOf(states, seed);
      const { lines, content } = graphOf(model, { direction });
      const drawn = lines.flatMap(({ edges }) => edges);
      const told = model.root.children
        .flatMap(({ id }) => content(id).rows)
        .flatMap(({ chips }) => chips.map(({ edge }) => edge));
      expect([...drawn, ...told].sort()).toEqual(model.edges.map(({ id }) => id).sort());
    },
  );

  test('is laid out with less care, and says how many of its lines are left out', () => {
    const { isLarge, leftOut, lines } = graphOf(chartOf(200, 1), { direction });
    expect(isLarge).toBe(true);
    expect(leftOut).toBeGreaterThan(0);
    expect(lines.length).toBeGreaterThan(leftOut);
  });
});

/** Each state leads to the next, and to one anywhere. */
function chartOf(states: number, seed: number): ChartModel {
  let at = seed;
  const anywhere = () => {
    at = (at * 48_271) % 0x7fff_ffff;
    return at % states;
  };
  const ids = Array.from({ length: states }, (_, index) => `s${index}`);
  const pairs = ids.flatMap((source, index) => [
    [source, ids[(index + 1) % states] ?? ''],
    [source, ids[anywhere()] ?? ''],
  ]);
  const edges = pairs.map(([source = '', target = ''], index) => edgeOf(index + 1, source, target));
  const children = ids.map((id) => plainState(id));
  const root = { ...plainState('', 'large'), kind: 'compound' as const, initial: 's0', children };
  return { id: 'large', version: 1, root, edges };
}

function edgeOf(number: number, source: string, target: string): ChartEdge {
  return {
    id: `e${number}`,
    name: `${source} go.${number}`,
    source,
    targets: [target],
    trigger: { type: 'event', event: `go.${number}` },
    guard: null,
    actions: [],
    reenter: false,
    description: null,
  };
}
