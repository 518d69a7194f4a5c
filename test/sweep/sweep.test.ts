/**
 * Each call to the system that writes or opens a file fails once, and at each tdctl is killed once.
 * All of them: `npm run sweep`, which takes many minutes. Otherwise a sample that has each kind of call
 * of each command.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, type TestContext, test } from 'vitest';
import { program } from '../exec/programs.ts';
import { faultsOf, prepare, type SweepCase, sweepCases } from './cases.ts';
import { type Call, type Fault, runInterposed, whyNotInterposed } from './interpose.ts';
import { type Files, filesOf, problems } from './judge.ts';

const isFull = process.env.TDCTL_SWEEP === 'full';
const missing = whyNotInterposed();

const root = realpathSync(mkdtempSync(join(tmpdir(), 'tdctl-swept-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Trial {
  readonly call: Call;
  /** Counted from 1. */
  readonly at: number;
  readonly fault: Fault;
}

/** The calls of a run without a fault, and what it leaves. */
async function watch(about: SweepCase) {
  const directory = scene(about, 'good');
  const { exitCode, calls } = await runInterposed({ directory, args: about.args });
  expect(exitCode, filesOf(directory).get('stderr/text')).toBe(0);
  return { calls, good: filesOf(directory) };
}

function withProgram(about: SweepCase, context: TestContext): SweepCase {
  if (about.program === undefined) return about;
  return { ...about, args: [...about.args, program(context, about.program)] };
}

let scenes = 0;

/** A directory with the inputs of the command, and with old outputs where it finds some. */
function scene(about: SweepCase, name: string): string {
  const directory = join(root, `${name}-${++scenes}`);
  mkdirSync(directory);
  prepare(directory, about);
  for (const { path } of about.old ? about.outputs : []) {
    writeFileSync(join(directory, 'work', path), 'what was here before\n');
  }
  return directory;
}

/**
 * Every call with all that it may meet. In the short form, for each kind of call one in each directory
 * that fails, and one at which tdctl is killed; and of these every second, so that two commands share
 * them. Which, goes round, the same in every run.
 */
function trialsOf(calls: readonly Call[], turn: number): Trial[] {
  const all = calls.flatMap((call, index) =>
    faultsOf[call.kind].map((fault): Trial => ({ call, at: index + 1, fault })),
  );
  if (isFull) return all;
  const groups = new Map<string, Trial[]>();
  for (const trial of all) {
    const { kind, path } = trial.call;
    const group = trial.fault.errno === undefined ? kind : `${kind} ${dirname(path)}`;
    groups.set(group, [...(groups.get(group) ?? []), trial]);
  }
  return [...groups.values()].flatMap((group, index) => {
    if ((index + turn) % 2 === 1) return [];
    const chosen = ((index + turn) * 7) % group.length;
    return group.slice(chosen, chosen + 1);
  });
}

async function tryOut(about: SweepCase, trial: Trial, good: Files): Promise<string[]> {
  const directory = scene(about, 'trial');
  const before = filesOf(directory);
  const { args } = about;
  const ended = await runInterposed({ directory, args, fault: { ...trial.fault, at: trial.at } });
  const after = filesOf(directory);
  const found = problems({ about, ended, before, after, good });
  if (ended.signal === 'SIGKILL') found.push(...(await nextRun(about, directory, good)));
  rmSync(directory, { recursive: true, force: true });
  const [hit] = ended.calls.filter((call) => call.hit);
  const name = nameOf({ ...trial, call: hit ?? trial.call });
  return found.map((problem) => `${name}: ${problem}`);
}

/** After a kill the command can be given again, and what was left behind goes. */
async function nextRun(about: SweepCase, directory: string, good: Files): Promise<string[]> {
  const found = filesOf(directory);
  const isDone =
    !about.old &&
    about.outputs.every(({ path, stream }) => stream !== true && found.has(join('work', path)));
  const ended = await runInterposed({ directory, args: about.args });
  const after = filesOf(directory);
  // What never overwrites has its file already.
  if (isDone && ended.exitCode === 4) return [];
  if (ended.exitCode !== 0)
    return [`the next run ends with ${ended.exitCode}: ${after.get('stderr/text')}`];
  // Only a log goes on behind what the killed one has written; of the others nothing counts.
  const isRewritten = (path: string) =>
    about.outputs.some(
      (output) => output.form !== 'json-lines' && path === join('work', output.path),
    );
  const before: Files = new Map(
    [...found].filter(([path]) => good.has(path) && !isRewritten(path)),
  );
  return problems({ about, ended, before, after, good }).map(
    (problem) => `the next run: ${problem}`,
  );
}

function nameOf({ call, at, fault }: Trial): string {
  return `${fault.action} ${fault.errno ?? ''} at call ${at}, ${call.kind} ${call.path.replace(/[0-9a-f]{6,}/g, 'X')}`;
}

/** Runs so many at a time as there are CPUs. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

describe('whatever call to the system fails, or is the last,', () => {
  test.for(sweepCases)(
    'files of `tdctl $name` are whole, nothing is left behind, and the exit code is right',
    { timeout: isFull ? 24 * 3_600_000 : 600_000 },
    async (listed, context) => {
      if (missing !== undefined) context.skip(missing);
      const about = withProgram(listed, context);
      const { calls, good } = await watch(about);
      const trials = trialsOf(calls, sweepCases.indexOf(listed));
      const found: string[] = [];
      await each(trials, async (trial) => {
        found.push(...(await tryOut(about, trial, good)));
      });
      expect(found).toEqual([]);
    },
  );
});
