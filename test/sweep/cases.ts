/** The commands that write files, and what each writes. */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../support/built.ts';
import type { CallKind, Fault } from './interpose.ts';

/** How a file is known to be whole: as JSON, or by its last line. */
export type Form = 'json' | 'json-lines' | 'trace' | 'text';

export interface Output {
  /** Each has a directory of its own, so that a disk can be full for it alone. */
  readonly path: string;
  readonly form: Form;
  /** A stream is written while something runs, and may stop anywhere but says that it has. */
  readonly stream?: true;
}

export interface SweepCase {
  readonly name: string;
  readonly args: readonly string[];
  /** The program of test/fixtures/exec that stands at the end of the arguments. */
  readonly program?: string;
  readonly outputs: readonly Output[];
  readonly stdout: 'json-lines' | 'text';
  /** Whether files are there already; a command that never overwrites has none. */
  readonly old: boolean;
  /** Whether it makes a TD. */
  readonly makesTd?: true;
  readonly errors?: 'json';
}

const run = {
  args: [
    ...['run', 'hello.yaml', '--host', 'sim', '--until', 'runnable', '-o', 'json'],
    ...['--trace', 'trace/t.jsonl', '--log-file', 'log/run.log'],
  ],
  outputs: [
    { path: 'trace/t.jsonl', form: 'trace', stream: true },
    { path: 'log/run.log', form: 'json-lines', stream: true },
  ],
  stdout: 'json-lines',
  makesTd: true,
  errors: 'json',
} as const;

const rehearse = {
  args: ['rehearse', 'hello.yaml', '--hops', '0', '--html', 'page/report.html', '-o', 'junit'],
  outputs: [{ path: 'page/report.html', form: 'text' }],
  stdout: 'text',
} as const;

const graph = {
  args: ['graph', 'td-lifecycle', '-o', 'picture/life.svg'],
  outputs: [{ path: 'picture/life.svg', form: 'text' }],
  stdout: 'text',
} as const;

const exec = {
  args: ['exec', '--trace', 'trace/t.txt', '--summary', 'summary/s.json', '--'],
  program: 'td',
  outputs: [
    { path: 'trace/t.txt', form: 'trace', stream: true },
    { path: 'summary/s.json', form: 'json' },
  ],
  stdout: 'text',
  makesTd: true,
} as const;

export const sweepCases: readonly SweepCase[] = [
  { name: 'run', ...run, old: false },
  { name: 'run, files are there', ...run, old: true },
  {
    name: 'plan --save',
    args: ['plan', 'hello.yaml', '--host', 'sim', '--save', 'plan/p.json'],
    outputs: [{ path: 'plan/p.json', form: 'json' }],
    stdout: 'text',
    old: false,
  },
  { name: 'rehearse --html', ...rehearse, old: false },
  { name: 'rehearse --html, files are there', ...rehearse, old: true },
  { name: 'graph -o', ...graph, old: false },
  { name: 'graph -o, files are there', ...graph, old: true },
  {
    name: 'host capture',
    args: ['host', 'capture', 'capture/host.json'],
    outputs: [{ path: 'capture/host.json', form: 'json' }],
    stdout: 'text',
    old: false,
  },
  {
    name: 'init',
    args: ['init', 'made/td.yaml', '--firmware', 'firmware/hello.fd'],
    outputs: [{ path: 'made/td.yaml', form: 'text' }],
    stdout: 'text',
    old: false,
  },
  { name: 'exec', ...exec, old: false },
  { name: 'exec, files are there', ...exec, old: true },
];

/** Puts the inputs in place, and a directory for each output. */
export function prepare(directory: string, { outputs }: SweepCase): void {
  for (const name of ['work', 'stdout', 'stderr'])
    mkdirSync(join(directory, name), { recursive: true });
  for (const input of ['hello.yaml', 'firmware']) {
    cpSync(join(projectRoot, 'examples', input), join(directory, 'work', input), {
      recursive: true,
    });
  }
  for (const { path } of outputs) {
    mkdirSync(join(directory, 'work', path, '..'), { recursive: true });
  }
}

const killed: readonly Fault[] = [{ action: 'kill-before' }, { action: 'kill-after' }];
const refused: readonly Fault[] = [
  { action: 'once', errno: 'EIO' },
  { action: 'stays', errno: 'ENOSPC' },
];

/** What a call of each kind may meet. */
export const faultsOf: Readonly<Record<CallKind, readonly Fault[]>> = {
  open: [{ action: 'once', errno: 'EMFILE' }, { action: 'once', errno: 'EIO' }, ...killed],
  create: [{ action: 'once', errno: 'EMFILE' }, ...refused, ...killed],
  write: [
    ...refused,
    // A disk that fills up takes a part first.
    { action: 'short', errno: 'ENOSPC' },
    { action: 'everywhere', errno: 'ENOSPC' },
    ...killed,
  ],
  truncate: [...refused, ...killed],
  sync: [...refused, ...killed],
  rename: [...refused, ...killed],
  link: [...refused, ...killed],
  unlink: [{ action: 'once', errno: 'EIO' }, ...killed],
  mkdir: [...refused, ...killed],
  rmdir: [{ action: 'once', errno: 'EIO' }, ...killed],
};
