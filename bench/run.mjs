// @ts-check
/** Runs every benchmark and prints its ratios: each is measured within one run, side by side. */
const modules = [import('./native.mjs'), import('./measure.mjs')];

/** @typedef {{ name: string, ratio: number | null, aim: number, detail: string }} Row */

for (const module of modules) {
  const { bench } = /** @type {{ bench: () => Promise<Row[]> }} */ (await module);
  for (const { name, ratio, aim, detail } of await bench()) {
    const verdict = ratio === null ? 'not measured' : ratio <= aim ? 'within aim' : 'MISSES AIM';
    const shown = ratio === null ? '-' : ratio.toFixed(2);
    console.log(`${name.padEnd(52)} ${shown.padStart(6)}  aim <= ${aim.toFixed(2)}  ${verdict}`);
    console.log(`    ${detail}`);
  }
}
