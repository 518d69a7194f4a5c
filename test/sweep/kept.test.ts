/**
 * Kept TDs on every host that can be had here: each call to the system that touches the state directory is the last
 * one of its process, or fails, in the keeper and in every command. All of them: `npm run sweep`. Otherwise a sample,
 * the same in every run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  accessSync,
  constants,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, type TestContext, test } from 'vitest';
import { keeperCommand } from '../../src/keeper/launch.ts';
import { requireSupervision } from '../exec/programs.ts';
import { Random } from '../fuzz/random.ts';
import { builtMain, projectRoot } from '../support/built.ts';
import { faultsOf } from './cases.ts';
import { type CallKind, type Fault, interposeLibrary, whyNotInterposed } from './interpose.ts';

const isFull = process.env.TDCTL_SWEEP === 'full';
const missing = whyNotInterposed();

/** So many trials of the keeper, and of each command, where not all are made. */
interface Sampled {
  readonly keeper: number;
  readonly command: number;
}

interface SweptHost {
  readonly host: string;
  readonly sampled: Sampled;
  /** The command that the lives are played below. */
  readonly below: readonly string[];
  readonly require: (context: TestContext) => void;
}

const root = realpathSync(mkdtempSync(join(tmpdir(), 'tdctl-kept-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const summaryFile = join(root, 'summary.json');
/** A guest that runs until it is taken down. */
const guestFile = join(root, 'guest.yaml');
writeFileSync(
  guestFile,
  `apiVersion: tdctl.io/v1alpha1
kind: RunScript
metadata: {name: holds}
spec:
  vcpus:
    - ids: [0]
      steps:
        - hold: true
`,
);

const hosts: readonly SweptHost[] = [
  { host: 'sim', sampled: { keeper: 8, command: 1 }, below: [], require: () => undefined },
  { host: 'soft', sampled: { keeper: 2, command: 0 }, below: [], require: requireKvm },
  {
    host: 'kvm',
    sampled: { keeper: 3, command: 0 },
    below: [
      process.execPath,
      builtMain(),
      'exec',
      '--host',
      'sim',
      '--summary',
      summaryFile,
      '--run',
      guestFile,
      '--',
    ],
    require: requireSupervision,
  },
];

const processes = ['keeper', 'create', 'start', 'pause', 'resume', 'stop', 'delete'] as const;
type Whose = (typeof processes)[number];

interface TrialFault extends Fault {
  /** Which call meets it, counted from 1. */
  readonly at: number;
}

interface Outcome {
  readonly problems: readonly string[];
  /** What interpose.c has written. */
  readonly calls: readonly string[];
}

/** A process that plays lives, one after the other. */
class Lives {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #host: string;
  #errors = '';
  #played = 0;

  constructor({ host, below }: SweptHost) {
    const [program = '', ...args] = [
      ...below,
      process.execPath,
      join(import.meta.dirname, 'kept/life.mjs'),
    ];
    this.#host = host;
    this.#child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, TDCTL_SWEPT: JSON.stringify(swept()) },
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    if (this.#child.stdout === null) throw new Error('it has a pipe');
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async play(whose: Whose, fault: TrialFault | null): Promise<Outcome> {
    this.#played += 1;
    const name = `swept-${this.#host}-${process.pid}-${this.#played}`;
    const spec = specOf(name);
    const trial = { name, directory: root, host: this.#host, spec, whose, fault };
    this.#child.stdin?.write(`${JSON.stringify(trial)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`the lives have ended early: ${this.#errors}`);
    return JSON.parse(value);
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    await new Promise((resolve) => this.#child.once('close', resolve));
  }
}

function requireKvm(context: TestContext): void {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (error) {
    context.skip(`/dev/kvm cannot be opened: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function swept() {
  return { main: builtMain(), keeper: keeperCommand('').slice(0, -1), library: interposeLibrary };
}

/** One vCPU, so that a life is short. Each has a name of its own, by which its processes are found. */
function specOf(name: string): string {
  const path = join(root, `${name}.yaml`);
  const text = readFileSync(join(projectRoot, 'examples/hello.yaml'), 'utf8')
    .replace('name: hello', `name: ${name}`)
    .replace('vcpus: 4', 'vcpus: 1')
    .replace('firmware: ', `firmware: ${projectRoot}/examples/`);
  writeFileSync(path, text);
  return path;
}

/** Every call with all that it may meet; in the short form so many of them, spread over the life. */
function trialsOf(calls: readonly string[], most: number, seed: string): TrialFault[] {
  const all = calls.flatMap((call, index) =>
    faultsOf[call.split(' ')[0] as CallKind].map((fault) => ({ ...fault, at: index + 1 })),
  );
  if (isFull) return all;
  const random = new Random(seed);
  const part = all.length / most;
  return Array.from({ length: Math.min(most, all.length) }, (_, index) => {
    const from = Math.floor(index * part);
    return random.pick(all.slice(from, Math.max(from + 1, Math.floor((index + 1) * part))));
  });
}

describe.for(hosts)('whatever process of a kept TD dies or cannot write, on $host,', (swept) => {
  test('`list` tells the truth, a second try succeeds, and nothing is left', {
    timeout: isFull ? 24 * 3_600_000 : 600_000,
  }, async (context) => {
    if (missing !== undefined) context.skip(missing);
    swept.require(context);
    const lives = new Lives(swept);
    const found: string[] = [];
    for (const whose of processes) {
      const most = whose === 'keeper' ? swept.sampled.keeper : swept.sampled.command;
      if (most === 0 && !isFull) continue;
      const { calls, problems } = await lives.play(whose, null);
      expect(problems, `${whose}, without a fault`).toEqual([]);
      for (const fault of trialsOf(calls, most, `${swept.host} ${whose}`)) {
        const outcome = await lives.play(whose, fault);
        const name = `${whose}, ${fault.action} ${fault.errno ?? ''} at ${fault.at} (${calls[fault.at - 1]})`;
        found.push(...outcome.problems.map((problem) => `${name}: ${problem}`));
      }
    }
    await lives.end();
    expect(found).toEqual([]);
    if (swept.below.includes(summaryFile)) {
      const { keySlots, stillOpen } = JSON.parse(readFileSync(summaryFile, 'utf8'));
      expect({ used: keySlots.used, stillOpen }).toEqual({ used: 0, stillOpen: [] });
    }
  });
});
