import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { machines } from '../../machines/index.ts';
import { extractChart } from '../../src/visualize/extract.ts';
import { renderChart } from '../../src/visualize/render.ts';

const root = join(import.meta.dirname, '../..');

test('the picture in the README is that of the machine as it is now', async () => {
  const lifecycle = machines.find(({ id }) => id === 'td-lifecycle');
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain('docs/images/td-lifecycle.svg');
  const svg = await renderChart(extractChart(lifecycle ?? machines[0]), {
    format: 'svg',
    direction: 'down',
    theme: 'auto',
    active: [],
    onSlow: () => undefined,
  });
  const drawn = readFileSync(join(root, 'docs/images/td-lifecycle.svg'), 'utf8');
  // A long difference of SVG helps nobody.
  expect(drawn === svg, 'run: npm run build && node scripts/update-pictures.mjs').toBe(true);
});
