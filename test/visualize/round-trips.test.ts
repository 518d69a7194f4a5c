import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { machines } from '../../machines/index.ts';
import type { ChartModel, ChartNode } from '../../src/visualize/chart-model.ts';
import { extractChart } from '../../src/visualize/extract.ts';
import { decodeName, encodeName } from '../../src/visualize/text/encode-name.ts';
import { chartScxml } from '../../src/visualize/text/scxml.ts';
import { chartXState } from '../../src/visualize/text/xstate.ts';
import { difficultNames, difficultText } from './support/difficult-names.ts';
import { buildMachine, machineShapes } from './support/generated-machines.ts';
import { readScxml } from './support/read-scxml.ts';
import { twoRegions } from './support/two-regions.ts';

const charts = [...machines, twoRegions].map((entry) => extractChart(entry));
const made = fc
  .tuple(machineShapes, difficultNames)
  .map(([shape, nameOf]) =>
    extractChart({ id: 'made', version: 1, machine: buildMachine(shape, nameOf), steps: [] }),
  );

/** XML cannot hold them in any way; names are encoded and keep them. */
function withoutXmlForbidden(model: ChartModel): ChartModel {
  const clean = (text: string) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are the subject
    text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Cs}]/gu, '\ufffd');
  const node = (one: ChartNode): ChartNode => ({
    ...one,
    description: one.description === null ? null : clean(one.description),
    children: one.children.map(node),
  });
  return { ...model, root: node(model.root) };
}

describe('SCXML', () => {
  for (const model of charts) {
    test(`of ${model.id} reads back as the same chart`, () => {
      expect(readScxml(chartScxml(model))).toEqual(model);
    });
  }

  property.prop([made])('of any machine, with any names, reads back as the same chart', (model) => {
    expect(readScxml(chartScxml(model))).toEqual(withoutXmlForbidden(model));
  });
});

describe('XState JSON', () => {
  const reload = (model: ChartModel, steps: typeof twoRegions.steps = []) => {
    const machine = createMachine(JSON.parse(chartXState(model)));
    return extractChart({ id: model.id, version: model.version, machine, steps });
  };

  for (const entry of [...machines, twoRegions]) {
    test(`of ${entry.id} is loaded by XState as the same chart`, () => {
      const model = extractChart(entry);
      expect(reload(model, entry.steps)).toEqual(model);
    });
  }

  property.prop([made])('of any machine, with any names, is loaded as the same chart', (model) => {
    expect(reload(model)).toEqual(model);
  });
});

describe('encoded names', () => {
  property.prop([difficultText])('are plain, and are read back', (text) => {
    expect(encodeName(text)).toMatch(/^[A-Za-z_][A-Za-z0-9_-]*$/);
    expect(decodeName(encodeName(text))).toBe(text);
  });
});
