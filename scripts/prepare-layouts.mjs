// @ts-check
/**
 * Lets ELK place the charts of tdctl once, so that `tdctl graph` and `watch` need not. A layout is kept
 * under the hash of all that decides it, so what is there is right, and what is not asked for is stale.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './bundles.mjs';

/** @param {string} path */
const built = (path) => import(join(root, 'build/modules', path));

export async function prepareLayouts() {
  const { machines } = await built('machines/index.js');
  const { extractChart } = await built('src/visualize/extract.js');
  const { graphOf } = await built('src/visualize/layout/layout.js');
  const { preparedFile, runElk } = await built('src/visualize/layout/place.js');

  const directory = join(root, 'dist/layouts');
  mkdirSync(directory, { recursive: true });
  const stale = new Set(readdirSync(directory));
  for (const machine of machines) {
    for (const direction of ['down', 'right']) {
      const { graph } = graphOf(extractChart(machine), { direction });
      const file = preparedFile(graph);
      stale.delete(basename(file));
      if (existsSync(file)) continue;
      writeFileSync(file, gzipSync(JSON.stringify(await runElk(graph), onlyPlaces)));
    }
  }
  for (const file of stale) rmSync(join(directory, file));
}

/**
 * What was asked is in the file's name; `$H` counts the objects that ELK has seen in this process.
 * @param {string} key
 * @param {unknown} value
 */
function onlyPlaces(key, value) {
  return key === 'layoutOptions' || key === '$H' ? undefined : value;
}
