/** Draws the pictures of the docs anew, with the command itself: `npm run build` first. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const main = fileURLToPath(new URL('dist/tdctl.js', root));

/** Machine and file; test/visualize/pictures.test.ts holds them fresh. */
const pictures = [
  ['td-lifecycle', 'docs/images/td-lifecycle.svg'],
  ['intra-host-migration', 'docs/images/intra-host-migration.svg'],
  ['vmm-td', 'docs/images/vmm-td.svg'],
];

for (const [machine = '', file = ''] of pictures) {
  const { status } = spawnSync(process.execPath, [main, 'graph', machine, '-o', file], {
    cwd: fileURLToPath(root),
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(1);
  console.log(`wrote ${file}`);
}
