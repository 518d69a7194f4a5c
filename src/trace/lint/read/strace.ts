/** Reads the KVM calls from the output of `strace -f -e trace=ioctl,openat,close,dup`. */
import { errnoNumbers } from '../../../abi/kvm/errno.ts';
import { makers } from '../../names.ts';
import type { CallOutcome } from '../../record.ts';
import { type TracedStep, type TracedTrace, type TraceEnd, UnreadableLines } from '../traced.ts';
import { type Guess, guessCommands, tellsCommands, withGuess } from './infer-commands.ts';
import type { RestOfLines } from './lines.ts';
import { parseIoctl, straceArgs } from './strace-args.ts';
import { StraceFiles } from './strace-files.ts';
import { parseStraceLine, type StraceAnswer } from './strace-line.ts';

interface Syscall {
  readonly pid: string;
  readonly name: string;
  readonly args: string;
  readonly answer: StraceAnswer;
  /** Line where the call begins. */
  readonly line: number;
}

/** What is known of an output of strace when all of it has been read. */
export interface WholeStrace {
  /** What the commands were, by the line of the call. */
  readonly guesses: ReadonlyMap<number, Guess>;
  readonly end: TraceEnd;
}

/** @returns undefined where no call is of KVM. */
export async function lookThroughStrace({
  blocks,
  linesBefore,
}: RestOfLines): Promise<WholeStrace | undefined> {
  const reader = new StraceReader(linesBefore);
  const skeleton: TracedStep[] = [];
  const seen = new Set<string>();
  const keep = (steps: readonly TracedStep[]) => {
    for (const step of steps) if (tellsCommands(step, seen)) skeleton.push(step);
  };
  for await (const lines of blocks) for (const line of lines) keep(reader.add(line));
  keep(reader.close());
  const end = reader.end();
  return end.lastLine === 0 ? undefined : { guesses: guessCommands(skeleton), end };
}

export function readStrace(
  blocks: AsyncIterable<readonly string[]>,
  { guesses, end }: WholeStrace,
): TracedTrace {
  const reader = new StraceReader(0);
  const guessed = (found: TracedStep[]) => found.map((step) => withGuess(step, guesses));
  function* read(lines: readonly string[]): Generator<TracedStep> {
    for (const line of lines) yield* guessed(reader.add(line));
  }
  async function* steps() {
    for await (const lines of blocks) yield read(lines);
    yield guessed(reader.close());
  }
  return { format: 'strace', header: undefined, steps: steps(), end: () => end };
}

class StraceReader {
  readonly #files = new StraceFiles();
  readonly #unreadable = new UnreadableLines();
  /** Calls that other calls interrupted in the trace, by process. */
  readonly #begun = new Map<string, Omit<Syscall, 'answer'>>();
  readonly #threads = new Map<string, string>();
  readonly #running = new Set<string>();
  #steps: TracedStep[] = [];
  #line: number;
  #lastLine = 0;
  #otherLines = 0;
  #tellsCloses = false;

  constructor(linesBefore: number) {
    this.#line = linesBefore;
  }

  /** @returns what the program did, in the order of the answers. */
  add(text: string): TracedStep[] {
    this.#line += 1;
    this.#read(text);
    return this.#taken();
  }

  /** The end of a process closes whatever it leaves open. */
  close(): TracedStep[] {
    if (this.#isWhole) for (const object of this.#files.open) this.#push({ kind: 'close', object });
    return this.#taken();
  }

  end(): TraceEnd {
    return {
      lastLine: this.#lastLine,
      unreadable: this.#unreadable.first,
      otherLines: this.#otherLines,
      tellsCloses: this.#tellsCloses,
      isWhole: this.#isWhole,
    };
  }

  get #isWhole(): boolean {
    return this.#lastLine > 0 && this.#running.size === 0;
  }

  #taken(): TracedStep[] {
    const steps = this.#steps;
    if (steps.length > 0) this.#steps = [];
    return steps;
  }

  #read(text: string): void {
    if (text.trim() === '') return;
    const parsed = parseStraceLine(text);
    if (parsed.kind === 'other') {
      this.#otherLines += 1;
      return;
    }
    const { pid } = parsed;
    if (parsed.kind === 'exit') {
      this.#running.delete(pid);
      return;
    }
    this.#running.add(pid);
    if (parsed.kind === 'unfinished') {
      this.#begun.set(pid, { ...parsed, line: this.#line });
      return;
    }
    const begun = parsed.kind === 'resumed' ? this.#begun.get(pid) : undefined;
    this.#begun.delete(pid);
    const args = begun === undefined ? parsed.args : `${begun.args}${parsed.args}`;
    const line = begun?.line ?? this.#line;
    if (!this.#take({ ...parsed, args, line })) this.#otherLines += 1;
  }

  /** Returns false when the call has nothing to do with KVM. */
  #take(call: Syscall): boolean {
    switch (call.name) {
      case 'ioctl':
        return this.#ioctl(call);
      case 'open':
      case 'openat':
        return this.#open(call);
      case 'close':
        return this.#close(call);
      case 'dup':
      case 'dup2':
      case 'dup3':
      case 'fcntl':
        return this.#duplicate(call);
      default:
        return false;
    }
  }

  #ioctl(call: Syscall): boolean {
    const ioctl = parseIoctl(call.args);
    if (ioctl === undefined) return false;
    const object = this.#files.of(ioctl.fd, ioctl);
    if (object === undefined) return false;
    const outcome = this.#outcome(call, makers[ioctl.request]);
    if (outcome === undefined) return false;
    const { request } = ioctl;
    const args = straceArgs(ioctl);
    const record = { kind: 'call', object, request, args: args ?? {}, outcome } as const;
    this.#push(
      { ...record, thread: this.#thread(call.pid) },
      { line: call.line, ...(args === undefined ? { argsUnknown: true } : {}) },
    );
    return true;
  }

  #open(call: Syscall): boolean {
    if (!/"\/dev\/kvm"/.test(call.args)) return false;
    const outcome = this.#outcome(call, 'sys');
    if (outcome === undefined) return false;
    this.#push({ kind: 'open', thread: this.#thread(call.pid), outcome }, { line: call.line });
    return true;
  }

  #close({ args, answer, line }: Syscall): boolean {
    this.#tellsCloses = true;
    if (!('value' in answer)) return false;
    const object = this.#files.close(Number.parseInt(args, 10));
    if (object !== undefined) this.#push({ kind: 'close', object }, { line });
    return object !== undefined;
  }

  #duplicate({ name, args, answer }: Syscall): boolean {
    if (!('value' in answer)) return false;
    if (name === 'fcntl' && !args.includes('F_DUPFD')) return false;
    this.#files.duplicate(Number.parseInt(args, 10), answer.value);
    return false;
  }

  #outcome(
    { answer, line }: Syscall,
    makes: (typeof makers)[string] | undefined,
  ): CallOutcome | undefined {
    if ('unknown' in answer) return { interrupted: true };
    if ('errno' in answer) {
      const { errno } = answer;
      if (errno in errnoNumbers) return { errno: errno as keyof typeof errnoNumbers };
      this.#unreadable.add({ line, problem: `KVM is not known to answer ${errno}` });
      return undefined;
    }
    const { value } = answer;
    if (makes === undefined) return { value };
    // The descriptor was free, so the file that it stood for before has been closed, whether the trace
    // shows that or not.
    const gone = this.#files.close(value);
    if (gone !== undefined) this.#push({ kind: 'close', object: gone }, { line });
    return { value: 0, made: this.#files.make(value, makes) };
  }

  #push(record: TracedStep['record'], about: Partial<Omit<TracedStep, 'record'>> = {}): void {
    const step = { line: this.#line, ...about, record };
    this.#lastLine = step.line;
    this.#steps.push(step);
  }

  /** The pids of strace are threads, and strace does not tell which of them make a process. */
  #thread(pid: string): string {
    const name = this.#threads.get(pid) ?? `T${this.#threads.size}`;
    this.#threads.set(pid, name);
    return name;
  }
}
