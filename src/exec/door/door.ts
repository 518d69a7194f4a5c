/**
 * The door by which programs that know nothing of tdctl come to a shared host. Whoever starts one on its own terminal
 * passes the seccomp listener of it to this process, which answers: as many as come, on one machine.
 */
import { randomBytes } from 'node:crypto';
import type { PassedFd, SupervisorClass } from '../../../native/index.ts';
import { TdctlError } from '../../errors/index.ts';
import type { Asked, Operations } from '../../host/shared/index.ts';
import type { SimulatedMachine } from '../../simulator/index.ts';
import { constantAnswers } from '../constant-answers.ts';
import { machineNames } from '../executed.ts';
import { commandEndedTold, executeAsked } from './asked.ts';
import { AdoptedProgram, type ExecutedFacts } from './program.ts';

export interface DoorOptions {
  readonly machine: SimulatedMachine;
  readonly supervisor: SupervisorClass;
  /** The next number of a process of the simulated kernel. */
  readonly nextProcess: () => number;
  /** Before the answer to each call, and after each last close. */
  readonly onCalled?: (() => void) | undefined;
}

/** So long somebody who was told a ticket may take to pass the fds. */
const fdsDeadlineMs = 30_000;

export class ExecDoor {
  readonly #options: DoorOptions;
  /** Before any fault could hit the questions. */
  readonly #systemAnswers: ReturnType<typeof constantAnswers>;
  readonly #programs = new Map<string, AdoptedProgram>();
  readonly #awaited = new Map<string, (fds: readonly PassedFd[]) => void>();
  #everyCallIsHeard = false;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#systemAnswers = constantAnswers(options.machine);
  }

  readonly operations: Operations = {
    execute: (arg, asked) => this.#execute(arg, asked),
    commandEnded: (arg) => {
      const { ticket, exit } = commandEndedTold(arg);
      this.#programs.get(ticket)?.commandEnded(exit);
    },
  };

  programs(): readonly ExecutedFacts[] {
    return [...this.#programs.values()].map((program) => program.facts());
  }

  /** The fds of one that was told this ticket. They are closed where nobody was. */
  handOver(ticket: string, fds: readonly PassedFd[]): void {
    const take = this.#awaited.get(ticket);
    this.#awaited.delete(ticket);
    if (take === undefined) for (const fd of fds) void fd.close();
    else take(fds);
  }

  /** Whether questions whose answer never changes come to the machine too, where faults and traces see them. */
  hearEveryCall(does: boolean): void {
    this.#everyCallIsHeard = does;
    for (const program of this.#programs.values()) program.hearEveryCall(does);
  }

  async #execute(arg: unknown, { signal, tell, by }: Asked): Promise<unknown> {
    const asked = executeAsked(arg);
    const { machine, supervisor, nextProcess, onCalled } = this.#options;
    const script = await scriptOf(asked.script);
    const ticket = randomBytes(12).toString('base64url');
    const handedOver = this.#fdsOf(ticket, signal);
    tell({ ticket, answeredBy: process.pid });
    const fds = await handedOver;
    const program = await AdoptedProgram.adopt({
      ...{ machine, supervisor, nextProcess, onCalled, asked, script, by, fds },
      systemAnswers: asked.trace ? [] : this.#systemAnswers,
      tell,
    });
    this.#programs.set(ticket, program);
    try {
      program.hearEveryCall(this.#everyCallIsHeard);
      tell({ process: program.facts().process, machine: machineNames(machine) });
      return await program.over(signal);
    } finally {
      this.#programs.delete(ticket);
    }
  }

  #fdsOf(ticket: string, signal: AbortSignal): Promise<readonly PassedFd[]> {
    return new Promise((resolve, reject) => {
      const giveUp = (error: Error) => {
        this.#awaited.delete(ticket);
        reject(error);
      };
      const deadline = setTimeout(() => giveUp(noFds()), fdsDeadlineMs);
      deadline.unref();
      const left = () => giveUp(new Error('whoever asked has left'));
      signal.addEventListener('abort', left, { once: true });
      this.#awaited.set(ticket, (fds) => {
        clearTimeout(deadline);
        signal.removeEventListener('abort', left);
        resolve(fds);
      });
    });
  }
}

async function scriptOf(script: { readonly text: string; readonly path: string } | undefined) {
  if (script === undefined) return undefined;
  const { parseRunScript } = await import('../run-script/load.ts');
  return parseRunScript(script.text, { path: script.path });
}

function noFds(): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_ANSWERING',
    op: 'take over the calls of a program',
    message: `whoever starts it has not passed its fds for ${fdsDeadlineMs / 1000} s`,
    hint: 'a signal may have stopped that process (SIGSTOP)',
  });
}
