/** One command on a shared host, which another process has started. */
import type { PassedFd, SupervisedCommand, SupervisorClass } from '../../../native/index.ts';
import type { Asked } from '../../host/shared/index.ts';
import type { SimulatedMachine } from '../../simulator/index.ts';
import { type Answering, answerCalls } from '../answering.ts';
import { readCpuIdentity } from '../cpu-identity.ts';
import type { CallListener } from '../dispatcher.ts';
import type { Executed } from '../executed.ts';
import { adoptionRefused } from '../launch-refused.ts';
import { everyListener } from '../listeners.ts';
import { promised } from '../promised.ts';
import { ResetWatch } from '../reset-watch.ts';
import { defaultRunScript, type RunScript, ScriptedGuest } from '../run-script/index.ts';
import type { CommandExit } from '../signals.ts';
import { SummaryCollector } from '../summary.ts';
import { commandHeader, type Tracing, traceTo } from '../tracing.ts';
import type { ExecuteAsked, ExecuteTold } from './messages.ts';

/** A program of this door as others see it, beside those that have joined. */
export interface ExecutedFacts {
  readonly process: number;
  readonly cgroup: string;
  /** Of the command. */
  readonly pid: number;
  readonly uid: number | undefined;
  readonly command: readonly string[];
  /** ISO 8601. */
  readonly joinedAt: string;
  readonly calls: number;
}

export interface AdoptOptions {
  readonly machine: SimulatedMachine;
  readonly supervisor: SupervisorClass;
  readonly nextProcess: () => number;
  readonly onCalled: (() => void) | undefined;
  readonly asked: ExecuteAsked;
  readonly script: RunScript | undefined;
  readonly by: Asked['by'];
  readonly fds: readonly PassedFd[];
  readonly systemAnswers: SupervisedCommand['systemAnswers'];
  readonly tell: (told: ExecuteTold) => void;
}

/** So long the guard of a command whose parent has left may take to end it all. */
const guardDeadlineMs = 10_000;

export class AdoptedProgram {
  readonly #options: AdoptOptions;
  readonly #answering: Answering;
  readonly #guest: ScriptedGuest;
  readonly #collector: SummaryCollector;
  readonly #tracing: Tracing | undefined;
  readonly #facts: Omit<ExecutedFacts, 'calls'>;
  readonly #exited = promised<CommandExit>();

  /** @throws TdctlError that says what keeps this process from answering its calls. */
  static async adopt(options: AdoptOptions): Promise<AdoptedProgram> {
    try {
      return new AdoptedProgram(options);
    } finally {
      await Promise.all(options.fds.map((fd) => fd.close()));
    }
  }

  private constructor(options: AdoptOptions) {
    this.#options = options;
    const { machine, supervisor, nextProcess, asked, script, by, fds, onCalled, tell } = options;
    const { command, cgroup = '/', trace } = asked;
    this.#guest = new ScriptedGuest(script ?? defaultRunScript);
    this.#collector = new SummaryCollector(machine);
    this.#tracing = trace
      ? traceTo(
          { write: (record) => tell({ record }) },
          commandHeader(command, machine, readCpuIdentity()),
          (handle) => this.#answering.nameOf(handle),
        )
      : undefined;
    const listener: CallListener = everyListener([
      this.#collector,
      ...(onCalled === undefined ? [] : [onEachClose(onCalled)]),
      ...(this.#tracing === undefined ? [] : [this.#tracing.listener]),
      ...(script === undefined ? [new ResetWatch((pid) => tell({ restarts: pid }))] : []),
    ]);
    const process = nextProcess();
    const answering = answerCalls(
      (handlers) => supervisor.adopt({ fds, systemAnswers: options.systemAnswers }, handlers),
      {
        ...{ machine, cgroup, guest: this.#guest, listener, beforeAnswer: onCalled },
        hears: trace ? 'all' : 'needed',
        addressSpaceOf: numbering(process, nextProcess),
        giveUp: ({ error }) => tell({ failed: error }),
      },
    );
    if ('failed' in answering) throw adoptionRefused(command[0] ?? '', answering.failed);
    this.#answering = answering;
    this.#facts = {
      ...{ process, cgroup, command, uid: by?.uid },
      pid: answering.supervisor.pid,
      joinedAt: new Date().toISOString(),
    };
  }

  facts(): ExecutedFacts {
    return { ...this.#facts, calls: this.#collector.calls };
  }

  hearEveryCall(does: boolean): void {
    this.#answering.supervisor.answerByItself(!does);
  }

  commandEnded(exit: CommandExit): void {
    this.#exited.resolve(exit);
  }

  /**
   * When all that the command started is gone.
   * @param left aborts when the process that started it has left: its guard then ends everything.
   */
  async over(left: AbortSignal): Promise<Executed> {
    const hasLeft = promised<CommandExit>();
    const abandon = () => {
      hasLeft.resolve({ how: 'signal', status: 9, signal: 'SIGKILL' });
      setTimeout(() => this.#answering.stop(), guardDeadlineMs).unref();
    };
    if (left.aborted) abandon();
    left.addEventListener('abort', abandon, { once: true });
    await this.#answering.ended;
    const exit = await Promise.race([this.#exited.promise, hasLeft.promise]);
    this.#tracing?.commandEnded(exit);
    const open = this.#answering.openFiles();
    const { command } = this.#options.asked;
    const summary = await this.#collector.summary(command, exit, open);
    // Its fds are needed by the next one, before anything that refers to this one is collected.
    this.#answering.stop();
    return {
      summary,
      expectations: {
        results: this.#guest.results(),
        // Whether the guests of the default script come to their end is nobody's expectation.
        unreached: this.#options.script === undefined ? [] : this.#guest.unreached(),
      },
    };
  }
}

function onEachClose(closed: () => void): CallListener {
  return { opened: () => undefined, called: () => undefined, closed, unserved: () => undefined };
}

/** The first address space of a command is its own process, each further one another process of the machine. */
function numbering(process: number, nextProcess: () => number): (ofCommand: number) => number {
  const numbers = new Map<number, number>();
  return (ofCommand) => {
    const known = numbers.get(ofCommand);
    if (known !== undefined) return known;
    const number = numbers.size === 0 ? process : nextProcess();
    numbers.set(ofCommand, number);
    return number;
  };
}
