/** Every form of two charts, held by golden files: `npx vitest run -u` writes them anew. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { machines } from '../../machines/index.ts';
import { extractChart } from '../../src/visualize/extract.ts';
import { renderChart } from '../../src/visualize/render.ts';
import { plainState } from './support/plain-state.ts';
import { twoRegions } from './support/two-regions.ts';

const golden = join(import.meta.dirname, '../golden/graph');
const files = {
  svg: 'svg',
  html: 'html',
  mermaid: 'mmd',
  dot: 'dot',
  scxml: 'scxml',
  xstate: 'json',
  plantuml: 'puml',
  tree: 'txt',
} as const;

describe('a chart', () => {
  for (const entry of [...machines, twoRegions]) {
    for (const [format, extension] of Object.entries(files)) {
      // One page is enough: the rest of it is the same.
      if (format === 'html' && entry === twoRegions) continue;
      test(`${entry.id} as ${format} is the one in test/golden/graph`, async () => {
        const text = await renderChart(extractChart(entry), {
          format: format as keyof typeof files,
          direction: 'down',
          theme: 'auto',
          active: entry === twoRegions ? ['on.cpu.running'] : [],
          onSlow: () => expect.unreachable('these charts are small'),
        });
        await expect(text).toMatchFileSnapshot(join(golden, `${entry.id}.${extension}`));
      });
    }
  }

  test('of 1,000 states is announced as slow, and laid out', async () => {
    const announced: string[] = [];
    const svg = await renderChart(thousandStates(), {
      format: 'svg',
      direction: 'down',
      theme: 'light',
      active: [],
      onSlow: (message) => announced.push(message),
    });
    expect(announced).toEqual([expect.stringContaining('1000 states')]);
    expect(svg.match(/data-state=/g)).toHaveLength(1000);
  });
});

function thousandStates() {
  const group = (at: number) => {
    const id = `group${at}`;
    const step = (inner: number) => ({ ...plainState(`${id}.step${inner}`, `step${inner}`) });
    return {
      ...plainState(id, id),
      kind: 'compound' as const,
      initial: `${id}.step0`,
      children: Array.from({ length: 9 }, (_, inner) => step(inner)),
    };
  };
  const groups = Array.from({ length: 100 }, (_, at) => group(at));
  const states = groups.flatMap(({ children }) => children.map(({ id }) => id));
  const root = {
    ...plainState('', 'large'),
    kind: 'compound' as const,
    initial: 'group0',
    children: groups,
  };
  const edges = states.slice(1).map((target, at) => ({
    id: `e${at + 1}`,
    name: `${states[at]} next.${at}`,
    source: states[at] ?? '',
    targets: [target],
    trigger: { type: 'event' as const, event: `next.${at}` },
    guard: null,
    actions: [],
    reenter: false,
    description: null,
  }));
  return { id: 'large', version: 1, root, edges };
}
