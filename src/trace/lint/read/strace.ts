/** Reads the KVM calls from the output of `strace -f -e trace=ioctl,openat,close,dup`. */
import { errnoNumbers } from '../../../abi/kvm/errno.ts';
import { makers } from '../../names.ts';
import type { CallOutcome } from '../../record.ts';
import type { TracedStep, TracedTrace, UnreadableLine } from '../traced.ts';
import { inferCommands } from './infer-commands.ts';
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

export function readStrace(lines: Iterable<string>): TracedTrace {
  const reader = new StraceReader();
  for (const line of lines) reader.add(line);
  return reader.end();
}

class StraceReader {
  readonly #files = new StraceFiles();
  readonly #steps: TracedStep[] = [];
  readonly #unreadable: UnreadableLine[] = [];
  /** Calls that other calls interrupted in the trace, by process. */
  readonly #begun = new Map<string, Omit<Syscall, 'answer'>>();
  readonly #threads = new Map<string, string>();
  readonly #running = new Set<string>();
  #line = 0;
  #otherLines = 0;
  #tellsCloses = false;

  add(text: string): void {
    this.#line += 1;
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

  end(): TracedTrace {
    const isWhole = this.#steps.length > 0 && this.#running.size === 0;
    // The end of a process closes whatever it leaves open.
    if (isWhole) for (const object of this.#files.open) this.#push({ kind: 'close', object });
    return {
      format: 'strace',
      header: undefined,
      steps: inferCommands(this.#steps),
      unreadable: this.#unreadable,
      otherLines: this.#otherLines,
      tellsCloses: this.#tellsCloses,
      isWhole,
    };
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
      this.#unreadable.push({ line, problem: `KVM is not known to answer ${errno}` });
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
    this.#steps.push({ line: this.#line, ...about, record });
  }

  /** The pids of strace are threads, and strace does not tell which of them make a process. */
  #thread(pid: string): string {
    const name = this.#threads.get(pid) ?? `T${this.#threads.size}`;
    this.#threads.set(pid, name);
    return name;
  }
}
