/** Speed of the pictures, as whole processes: what a person waits for. Needs the build output. */
import { spawnSync } from 'node:child_process';
import { devNull } from 'node:os';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../dist/tdctl.js', import.meta.url));
const times = 11;

/** @returns {Promise<{ name: string, ratio: number, aim: number, detail: string }[]>} */
export async function bench() {
  const draw = ['graph', 'td-lifecycle', '--out', devNull];
  return [
    againstNode('tdctl graph td-lifecycle as SVG', [...draw, '--format', 'svg'], 5),
    againstNode('tdctl graph td-lifecycle as a tree', [...draw, '--format', 'tree'], 3),
  ];
}

/**
 * The two in turn, so that a slow moment of the machine meets both; medians.
 * @param {string} name
 * @param {string[]} args
 * @param {number} aim
 */
function againstNode(name, args, aim) {
  /** @type {number[]} */
  const ours = [];
  /** @type {number[]} */
  const theirs = [];
  for (let run = 0; run < times; run++) {
    theirs.push(millisecondsOf(['-e', '0']));
    ours.push(millisecondsOf([main, ...args]));
  }
  const our = median(ours);
  const their = median(theirs);
  const detail = `${our.toFixed(0)} ms / ${their.toFixed(0)} ms, medians of ${times}; the aim for SVG is 500 ms`;
  return { name: `${name} against node -e 0`, ratio: our / their, aim, detail };
}

/** @param {string[]} args */
function millisecondsOf(args) {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - start;
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
