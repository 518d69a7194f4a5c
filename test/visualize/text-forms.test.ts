/** Line by line, for the forms that have no parser here: no name breaks out of its place. */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { walk } from '../../src/visualize/chart-model.ts';
import { extractChart } from '../../src/visualize/extract.ts';
import { chartMermaid, escapeMermaid } from '../../src/visualize/text/mermaid.ts';
import { chartPlantuml } from '../../src/visualize/text/plantuml.ts';
import { chartTree } from '../../src/visualize/text/tree.ts';
import { difficultNames, difficultText } from './support/difficult-names.ts';
import { buildMachine, machineShapes } from './support/generated-machines.ts';
import { twoRegions } from './support/two-regions.ts';

const made = fc
  .tuple(machineShapes, difficultNames)
  .map(([shape, nameOf]) =>
    extractChart({ id: 'made', version: 1, machine: buildMachine(shape, nameOf), steps: [] }),
  );

const name = '(\\w+|\\[\\*\\])';
const mermaidLines = [
  /^stateDiagram-v2$/,
  /^%% [^{}\n]*$/,
  /^direction (TB|LR)$/,
  /^state "[^"<>{}\n]*" as \w+( \{)?$/,
  new RegExp(`^${name} --> ${name}( : [^"<>{}:\\n]+)?$`),
  /^\w+ : [^"<>{}:\n]+$/,
  /^note right of \w+ : [^"<>{}:\n]+$/,
  /^(\}|--)$/,
];
const plantumlLines = [
  /^@(start|end)uml$/,
  /^title .+$/,
  /^(hide empty description|left to right direction)$/,
  /^state "[^"\n]*" as \w+( <<history>>)?( \{)?$/,
  new RegExp(`^${name} --> ${name}( : .+)?$`),
  /^\w+ : .+$/,
  /^(\}|--)$/,
];

function strangeLines(text: string, known: readonly RegExp[]): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !known.some((form) => form.test(line)));
}

describe('Mermaid', () => {
  property.prop([made])('has only lines of its grammar, with braces that match', (model) => {
    const text = chartMermaid(model, { direction: 'down' });
    expect(strangeLines(text, mermaidLines)).toEqual([]);
    expect(text.match(/\{$/gm)?.length ?? 0).toBe(text.match(/^ *\}$/gm)?.length ?? 0);
  });

  property.prop([made])('gives every state a name of its own', (model) => {
    const names = [...chartMermaid(model, { direction: 'down' }).matchAll(/ as (\w+)/g)].map(
      ([, id]) => id,
    );
    expect(names).toHaveLength(walk(model.root).length - (model.root.kind === 'parallel' ? 0 : 1));
    expect(new Set(names).size).toBe(names.length);
  });

  property.prop([difficultText])('leaves no character that means something to it', (text) => {
    const plain = escapeMermaid(text).replace(/#\d+;/g, 'x');
    expect(plain).not.toMatch(/["<>{}:;#%*\n\\]|--/);
  });

  test('draws no line across the border of a parallel state, and none to a composite in a region', () => {
    const text = chartMermaid(extractChart(twoRegions), { direction: 'down' });
    expect(text).toContain('on --> broken : error (in shared)');
    expect(text).toContain('broken_looked --> on : back (to last)');
    const outside = text.split('\n').filter((line) => /^ {2}\w+ -->/.test(line));
    expect(outside.join('\n')).not.toMatch(/on_(cpu|memory)/);
  });
});

describe('PlantUML', () => {
  property.prop([made])('has only lines of its grammar', (model) => {
    expect(strangeLines(chartPlantuml(model, { direction: 'right' }), plantumlLines)).toEqual([]);
  });
});

describe('the tree', () => {
  property.prop([made])(
    'has one line for each state and transition, without control characters',
    (model) => {
      const lines = chartTree(model).trimEnd().split('\n');
      expect(lines).toHaveLength(walk(model.root).length + model.edges.length);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are the subject
      expect(lines.join('')).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202e]/);
    },
  );

  test('marks the active state and those around it', () => {
    const tree = chartTree(extractChart(twoRegions), { active: ['on.cpu.paused'] });
    expect(tree.match(/● \w+/g)).toEqual(['● on', '● cpu', '● paused']);
  });
});
