/** Runs the program of a suite, natively or under `tdctl exec`, and always ends. */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecSummary } from '../../src/exec/index.ts';
import { builtMain, projectRoot } from '../support/built.ts';

/** Where `scripts/suites.mjs` puts what it fetches and builds. */
export const suitesFolder = join(projectRoot, 'build/suites');

/** All of each suite, or the part that has room in `npm test`. */
export const isFull = process.env.TDCTL_SUITES === 'full';
/** Whole suites take as long as they take. */
export const suiteTimeoutMs = 60 * 60_000;

export interface Ran {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Its time was up, and it was killed with all that it had started. */
  readonly timedOut: boolean;
}

export interface RanUnderExec extends Ran {
  /** Absent where tdctl was killed. */
  readonly summary?: ExecSummary;
  /** In JSON lines; empty where none was asked for. */
  readonly trace: string;
}

interface RunOptions {
  readonly cwd?: string;
  readonly seconds?: number;
  readonly input?: string;
}

interface ExecOptions extends RunOptions {
  /** Options of `tdctl exec`. */
  readonly args?: readonly string[];
  readonly withTrace?: boolean;
}

export async function natively(
  command: readonly string[],
  { cwd = projectRoot, seconds = 60, input = '' }: RunOptions = {},
): Promise<Ran> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd, stdio: 'pipe', detached: true });
  let stdout = '';
  let stderr = '';
  let timedOut = false;
  const deadline = setTimeout(() => {
    timedOut = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, seconds * 1000);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that reads nothing may be gone before it is written to.
  child.stdin.on('error', () => {}).end(input);
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject).on('close', resolve);
    });
    return { exitCode, stdout, stderr, timedOut };
  } finally {
    clearTimeout(deadline);
  }
}

export async function underExec(
  command: readonly string[],
  { args = [], seconds = 90, withTrace = false, ...options }: ExecOptions = {},
): Promise<RanUnderExec> {
  const scratch = mkdtempSync(join(tmpdir(), 'tdctl-suites-'));
  try {
    const [summaryFile, traceFile] = [join(scratch, 'summary.json'), join(scratch, 'trace.jsonl')];
    const outputs = ['--summary', summaryFile, ...(withTrace ? ['--trace', traceFile] : [])];
    const exec = [process.execPath, builtMain(), 'exec', ...outputs, ...args, '--'];
    const ran = await natively([...exec, ...command], { ...options, seconds });
    const text = existsSync(summaryFile) ? readFileSync(summaryFile, 'utf8') : '';
    return {
      ...ran,
      trace: existsSync(traceFile) ? readFileSync(traceFile, 'utf8') : '',
      ...(text === '' ? {} : { summary: JSON.parse(text) as ExecSummary }),
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Why nothing can be run natively here, for comparison. */
export function whyNotNatively(): string | undefined {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return 'there is no /dev/kvm that may be opened: nothing to compare with';
  }
}

/** Why a suite is not here: what `scripts/suites.mjs` was told when it looked for it. */
export function whyNotFetched(suite: string): string {
  const file = join(suitesFolder, `${suite}.why-not`);
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  return `${suite} is not fetched: \`npm run suites\` does that`;
}

/** Two at a time: so many CPUs a CI machine has. In the order of the inputs. */
export async function twoAtATime<Input, Output>(
  inputs: readonly Input[],
  work: (input: Input) => Promise<Output>,
): Promise<readonly Output[]> {
  const outputs: Output[] = [];
  let next = 0;
  const worker = async () => {
    while (next < inputs.length) {
      const index = next++;
      outputs[index] = await work(inputs[index] as Input);
    }
  };
  await Promise.all([worker(), worker()]);
  return outputs;
}
