/** The places that the build keeps, so that ELK need not run for the charts of tdctl. */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { machines } from '../../machines/index.ts';
import type { ChartModel } from '../../src/visualize/chart-model.ts';
import { extractChart } from '../../src/visualize/extract.ts';
import { graphOf } from '../../src/visualize/layout/layout.ts';
import { preparedFile, runElk } from '../../src/visualize/layout/place.ts';

function keptFor(model: ChartModel, direction: 'down' | 'right'): string {
  return preparedFile(graphOf(model, { direction }).graph);
}

describe('the build keeps', () => {
  for (const machine of machines) {
    for (const direction of ['down', 'right'] as const) {
      test(`what ELK says of ${machine.id} going ${direction}`, async () => {
        const model = extractChart(machine);
        const kept = JSON.parse(gunzipSync(readFileSync(keptFor(model, direction))).toString());
        expect(await runElk(graphOf(model, { direction }).graph)).toMatchObject(kept);
      });
    }
  }

  test('nothing of a chart that has changed since', () => {
    const model = extractChart(machines[0]);
    const changed = { ...model, edges: model.edges.slice(1) };
    expect(existsSync(keptFor(model, 'down'))).toBe(true);
    expect(existsSync(keptFor(changed, 'down'))).toBe(false);
  });
});
