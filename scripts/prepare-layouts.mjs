// @ts-check
/** Lets ELK place the charts of the built package once, so that `tdctl graph` and `watch` need not. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** @param {string} path */
const built = (path) => import(new URL(`../dist/${path}`, import.meta.url).href);

const { machines } = await built('machines/index.js');
const { extractChart } = await built('src/visualize/extract.js');
const { graphOf } = await built('src/visualize/layout/layout.js');
const { preparedFile, runElk } = await built('src/visualize/layout/place.js');

const directory = new URL('../dist/src/visualize/layout/prepared/', import.meta.url);
rmSync(directory, { recursive: true, force: true });
mkdirSync(directory);
for (const machine of machines) {
  for (const direction of ['down', 'right']) {
    const { graph } = graphOf(extractChart(machine), { direction });
    const file = preparedFile(graph);
    writeFileSync(file, gzipSync(JSON.stringify(await runElk(graph), onlyPlaces)));
  }
}

/**
 * What was asked is in the file's name; `$H` counts the objects that ELK has seen in this process.
 * @param {string} key
 * @param {unknown} value
 */
function onlyPlaces(key, value) {
  return key === 'layoutOptions' || key === '$H' ? undefined : value;
}
