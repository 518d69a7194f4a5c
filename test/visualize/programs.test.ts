/** What other programs say to our files, with names that were made to break them. */
import { fc } from '@fast-check/vitest';
import { describe, expect, type TestContext, test } from 'vitest';
import { machines } from '../../machines/index.ts';
import type { ChartModel } from '../../src/visualize/chart-model.ts';
import { extractChart } from '../../src/visualize/extract.ts';
import type { ChartFormat } from '../../src/visualize/formats.ts';
import { svgToPng } from '../../src/visualize/png.ts';
import { renderChart } from '../../src/visualize/render.ts';
import { difficultNames } from './support/difficult-names.ts';
import { buildMachine, machineShapes } from './support/generated-machines.ts';
import { complaints, findProgram } from './support/programs.ts';
import { twoRegions } from './support/two-regions.ts';

const difficultCharts = fc.sample(
  fc
    .tuple(machineShapes, difficultNames)
    .map(([shape, nameOf]) =>
      extractChart({ id: 'made', version: 1, machine: buildMachine(shape, nameOf), steps: [] }),
    ),
  12,
);
const charts = [...machines, twoRegions]
  .map((entry) => extractChart(entry))
  .concat(difficultCharts);

function program(name: string, ctx: TestContext): string {
  const found = findProgram(name);
  if (found === undefined) ctx.skip(`${name} is not installed`);
  return found ?? '';
}

function render(model: ChartModel, format: Exclude<ChartFormat, 'png'>): Promise<string> {
  const onSlow = () => undefined;
  return renderChart(model, { format, direction: 'down', theme: 'auto', active: [], onSlow });
}

describe('other programs', () => {
  test('Graphviz accepts our DOT without a word', async (ctx) => {
    const dot = program('dot', ctx);
    for (const model of charts) {
      expect(complaints(dot, ['-Tsvg', '-o', '/dev/null'], await render(model, 'dot'))).toBe('');
    }
  });

  for (const format of ['svg', 'scxml'] as const) {
    test(`xmllint finds our ${format} well-formed`, async (ctx) => {
      const xmllint = program('xmllint', ctx);
      for (const model of charts) {
        expect(complaints(xmllint, ['--noout', '--nonet', '-'], await render(model, format))).toBe(
          '',
        );
      }
    });
  }

  test('xmllint finds our HTML without a mistake', async (ctx) => {
    const xmllint = program('xmllint', ctx);
    for (const model of charts) {
      const said = complaints(
        xmllint,
        ['--html', '--noout', '--nonet', '-'],
        await render(model, 'html'),
      );
      // libxml2 knows the tags of HTML 4 only.
      const mistakes = said
        .split('\n')
        .filter((line) => / error : /.test(line) && !/Tag \w+ invalid/.test(line));
      expect(mistakes).toEqual([]);
    }
  });

  test('rsvg-convert makes a PNG of our SVG', async (ctx) => {
    program('rsvg-convert', ctx);
    for (const model of charts.slice(0, 5)) {
      const png = await svgToPng(await render(model, 'svg'), { zoom: 1 });
      expect(png.subarray(1, 4).toString()).toBe('PNG');
    }
  });
});
