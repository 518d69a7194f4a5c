import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { machines } from '../../machines/index.ts';
import { extractChart } from '../../src/visualize/extract.ts';
import { renderChart } from '../../src/visualize/render.ts';

const root = join(import.meta.dirname, '../..');

const pages = {
  'td-lifecycle': 'README.md',
  'intra-host-migration': 'docs/migration.md',
  'vmm-td': 'docs/qemu.md',
} as const;

test.each(machines)(
  'the picture of $id in the docs is that of the machine as it is now',
  async (entry) => {
    expect(readFileSync(join(root, pages[entry.id as keyof typeof pages]), 'utf8')).toContain(
      `images/${entry.id}.svg`,
    );
    const svg = await renderChart(extractChart(entry), {
      format: 'svg',
      direction: 'down',
      theme: 'auto',
      active: [],
      onSlow: () => undefined,
    });
    const drawn = readFileSync(join(root, `docs/images/${entry.id}.svg`), 'utf8');
    // A long difference of SVG helps nobody.
    expect(drawn === svg, 'run: npm run build && node scripts/update-pictures.mjs').toBe(true);
  },
);
