/** Asks a QEMU that has no machine a few questions over QMP, with bounds for whatever else the program may be. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';

import { endingSignals } from '../../documents/read-bytes.ts';

export interface Question {
  readonly execute: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
}

export type Dialogue =
  /** `answers` has what came back for each question, or undefined for an error. */
  | { readonly greeting: unknown; readonly answers: readonly unknown[] }
  | { readonly problem: string; readonly stderr: readonly string[] };

export interface Bounds {
  readonly deadlineMs: number;
  readonly mostBytes: number;
}

/** It makes no machine, opens no device, and needs no KVM. */
const machineless = [
  ...['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none'],
  ...['-S', '-qmp', 'stdio'],
];

/** Resolves always, and no process is left. */
export function dialogue(
  program: string,
  questions: readonly Question[],
  bounds: Bounds,
): Promise<Dialogue> {
  // Before the program is there: a signal that came between the two would end this process alone.
  let started: ChildProcessWithoutNullStreams | undefined;
  const forget = onEndingSignals(() => started && end(started));
  const child = spawn(program, machineless, { stdio: 'pipe', detached: true });
  started = child;
  return new Promise((resolve) => {
    const talk = new Talk(child, questions, bounds);
    talk.onOver = (outcome) => {
      clearTimeout(timer);
      forget();
      end(child);
      resolve(outcome);
    };
    const timer = setTimeout(
      () => talk.fail(`it did not answer within ${bounds.deadlineMs / 1000} s`),
      bounds.deadlineMs,
    );
  });
}

/** A program of ours is in a group of its own, which an interrupt of this process does not reach. */
function onEndingSignals(act: () => void): () => void {
  const listeners = endingSignals.map((signal) => {
    const isOurs = process.listenerCount(signal) === 0;
    const listener = () => {
      forget();
      act();
      // Where nobody else takes the signal, it ends this process as it would have.
      if (isOurs) process.kill(process.pid, signal);
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  const forget = () => {
    for (const { signal, listener } of listeners) process.off(signal, listener);
  };
  return forget;
}

/** A wrapper may have children: all of the group go. */
function end(child: ChildProcessWithoutNullStreams): void {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  child.unref();
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

const keptLines = 20;

class Talk {
  onOver: (outcome: Dialogue) => void = () => undefined;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #questions: readonly Question[];
  readonly #answers: unknown[] = [];
  readonly #mostBytes: number;
  #greeting: unknown;
  #heardBytes = 0;
  #text = '';
  #stderr = '';

  constructor(
    child: ChildProcessWithoutNullStreams,
    questions: readonly Question[],
    { mostBytes }: Bounds,
  ) {
    this.#child = child;
    this.#questions = [{ execute: 'qmp_capabilities' }, ...questions];
    this.#mostBytes = mostBytes;
    // What is written to a program that has ended is lost, which its end tells.
    child.stdin.on('error', () => undefined);
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#hearError(text));
    child.on('error', ({ message }) => this.fail(`it cannot be started: ${message}`));
    child.on('close', (code, signal) =>
      this.fail(`it ended ${signal ? `by ${signal}` : `with ${code}`} before it answered`),
    );
  }

  fail(problem: string): void {
    const stderr = this.#stderr.split('\n').filter((line) => line.trim() !== '');
    this.#over({ problem, stderr: stderr.slice(-keptLines) });
  }

  #over(outcome: Dialogue): void {
    this.onOver(outcome);
    this.onOver = () => undefined;
  }

  #count(text: string): boolean {
    this.#heardBytes += text.length;
    if (this.#heardBytes <= this.#mostBytes) return true;
    this.fail(`it wrote more than ${this.#mostBytes >> 10} KiB, and no answer`);
    return false;
  }

  #hearError(text: string): void {
    if (this.#count(text)) this.#stderr += text;
  }

  #hear(text: string): void {
    if (!this.#count(text)) return;
    const lines = `${this.#text}${text}`.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) this.#hearLine(line);
  }

  #hearLine(line: string): void {
    const message = parsed(line);
    if (this.#greeting === undefined) {
      this.#greeting = message?.QMP;
      if (this.#greeting === undefined) this.fail('it does not speak QMP');
      else this.#askNext();
    } else if (message && ('return' in message || 'error' in message)) {
      this.#answers.push(message.return);
      this.#askNext();
    }
  }

  #askNext(): void {
    const next = this.#questions[this.#answers.length];
    if (next !== undefined) this.#child.stdin.write(`${JSON.stringify(next)}\n`);
    else this.#over({ greeting: this.#greeting, answers: this.#answers.slice(1) });
  }
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
