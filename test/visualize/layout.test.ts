import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { machines } from '../../machines/index.ts';
import { extractChart } from '../../src/visualize/extract.ts';
import { layOutChart } from '../../src/visualize/layout/layout.ts';
import { layoutFaults } from './support/check-layout.ts';
import { buildMachine, machineShapes } from './support/generated-machines.ts';

const directions = ['down', 'right'] as const;

describe('the layout', () => {
  for (const entry of machines) {
    for (const direction of directions) {
      test(`of ${entry.id} going ${direction} has nothing on top of anything, and every line ends on its state`, async () => {
        expect(layoutFaults(await layOutChart(extractChart(entry), { direction }))).toEqual([]);
      });
    }

    test(`of ${entry.id} reads top-down in the order in which the states are written`, async () => {
      const { layout, chart } = await layOutChart(extractChart(entry), { direction: 'down' });
      const byId = new Map(layout.nodes.map((node) => [node.id, node]));
      for (const { line } of layout.edges) {
        const [upper, lower] = [line.source, line.target].sort(
          (one, other) => chart.order(one) - chart.order(other),
        );
        const above = byId.get(upper ?? '');
        const below = byId.get(lower ?? '');
        expect((above?.y ?? 0) + (above?.height ?? 0), line.id).toBeLessThanOrEqual(below?.y ?? 0);
      }
    });
  }

  property.prop([machineShapes, fc.constantFrom(...directions)], { numRuns: 60 })(
    'of any machine has nothing on top of anything, and every line ends on its state',
    async (shape, direction) => {
      const machine = buildMachine(shape);
      const model = extractChart({ id: 'made', version: 1, machine, steps: [] });
      expect(layoutFaults(await layOutChart(model, { direction }))).toEqual([]);
    },
  );
});
