// @ts-check
/**
 * Runs every benchmark, or those named: `node bench/run.mjs simulator`. A row is a ratio, measured
 * within one run side by side, or a value of this machine with the aim it has. `set-up` asks the network, so it is run
 * only where it is named.
 */
const modules = [
  'start-up',
  'native',
  'guest',
  'guest-moves',
  'measure',
  'simulator',
  'rehearse',
  'graph',
  'growth',
  'fit',
  'watch',
  'kept',
  'keeper-api',
  'keeper-moves',
  'exec',
  'shared-host',
  'qemu',
];

/**
 * @typedef {{ name: string, ratio: number | null, aim: number, detail: string }} RatioRow
 * @typedef {{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }} ValueRow
 */

const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : modules) {
  const { bench } = /** @type {{ bench: () => Promise<(RatioRow | ValueRow)[]> }} */ (
    await import(`./${name}.mjs`)
  );
  for (const row of await bench()) {
    const { shown, aim, verdict } = 'ratio' in row ? ratio(row) : value(row);
    console.log(`${row.name.padEnd(60)} ${shown.padStart(14)}  aim ${aim}  ${verdict}`);
    console.log(`    ${row.detail}`);
  }
}

/** @param {RatioRow} row */
function ratio({ ratio, aim }) {
  const verdict = ratio === null ? 'not measured' : judge(ratio <= aim);
  return {
    shown: ratio === null ? '-' : ratio.toFixed(2),
    aim: `<= ${aim.toFixed(2)}`,
    verdict,
  };
}

/** @param {ValueRow} row */
function value({ value, unit, aim, atLeast }) {
  const digits = Math.abs(value) < 10 ? 2 : 0;
  return {
    shown: `${value.toFixed(digits)} ${unit}`,
    aim: `${atLeast ? '>=' : '<='} ${aim}`,
    verdict: judge(atLeast ? value >= aim : value <= aim),
  };
}

/** @param {boolean} isMet */
function judge(isMet) {
  return isMet ? 'within aim' : 'MISSES AIM';
}
