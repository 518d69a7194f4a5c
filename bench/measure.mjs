/**
 * Speed of measuring: the hash itself, and the commands as whole processes. Works on the build
 * output (`npm run build`), because that is what users run.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sources = new URL('../build/modules/src/', import.meta.url);
const main = fileURLToPath(new URL('../dist/tdctl.js', import.meta.url));
const ovmf = '/usr/share/ovmf/OVMF.fd';
const example = fileURLToPath(new URL('../examples/firmware/hello.fd', import.meta.url));

const runs = { inProcess: 51, processes: 21 };

/** @returns {Promise<{ name: string, ratio: number, aim: number, detail: string }[]>} */
export async function bench() {
  const firmware = existsSync(ovmf) ? ovmf : example;
  const name = firmware === ovmf ? 'OVMF.fd' : 'hello.fd (the example: OVMF.fd is not installed)';
  return [
    await mrtdAgainstSha384(firmware, name),
    processAgainstNode(`tdctl measure ${name}`, [main, 'measure', firmware], 2.5),
    processAgainstNode('tdctl --version', [main, '--version'], 1.4),
  ];
}

/**
 * @param {string} firmware
 * @param {string} name
 */
async function mrtdAgainstSha384(firmware, name) {
  const { loadFirmware, predictMrtd } = await import(new URL('firmware/index.js', sources).href);
  const image = await loadFirmware({ path: firmware });
  const { hashedBytes } = predictMrtd(image, { order: 'page' });
  const sameBytes = randomFillSync(new Uint8Array(hashedBytes));
  return compare({
    name: `MRTD of ${name} against one SHA-384 of ${hashedBytes} bytes`,
    aim: 1.3,
    times: runs.inProcess,
    ours: () => predictMrtd(image, { order: 'page' }),
    theirs: () => createHash('sha384').update(sameBytes).digest(),
  });
}

/**
 * @param {string} name
 * @param {string[]} args
 * @param {number} aim
 */
function processAgainstNode(name, args, aim) {
  return compare({
    name: `${name} against node -e 0, whole processes`,
    aim,
    times: runs.processes,
    ours: () => runNode(args),
    theirs: () => runNode(['-e', '0']),
  });
}

/** @param {string[]} args */
function runNode(args) {
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
}

/**
 * Runs the two in turn, so that a slow moment of the machine meets both, and compares medians.
 * @param {{ name: string, aim: number, times: number, ours: () => unknown, theirs: () => unknown }} options
 */
function compare({ name, aim, times, ours, theirs }) {
  /** @type {number[]} */
  const ourTimes = [];
  /** @type {number[]} */
  const theirTimes = [];
  for (let run = 0; run < times; run++) {
    theirTimes.push(millisecondsOf(theirs));
    ourTimes.push(millisecondsOf(ours));
  }
  const our = median(ourTimes);
  const their = median(theirTimes);
  const detail = `${our.toFixed(2)} ms / ${their.toFixed(2)} ms, medians of ${times}`;
  return { name, ratio: our / their, aim, detail };
}

/** @param {() => unknown} act */
function millisecondsOf(act) {
  const start = performance.now();
  act();
  return performance.now() - start;
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
