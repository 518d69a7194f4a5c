import { exitCodes } from '../errors/index.ts';
import { NamedFiles } from '../files/named-files.ts';
import { interrupt, isSignal, listenForInterrupts } from './interrupts.ts';
import { Losses } from './output/losses.ts';
import { outputStream, ProcessOutput } from './output/process-output.ts';
import { processInput, type StandardInput } from './standard-input.ts';

/** All that a command may touch of the outside. Tests give their own. */
export interface CommandIo {
  /** This stream is for data. */
  readonly stdout: TextSink;
  /** This stream is for talk: progress, hints, errors. */
  readonly stderr: TextSink;
  readonly env: NodeJS.ProcessEnv;
  /** Whether a person reads the stream with colours on. */
  readonly colors: { readonly stdout: boolean; readonly stderr: boolean };
  /** How many columns the stream has; undefined where it is no terminal, and nothing is broken into lines. */
  readonly widths: Widths;
  /** What is typed at the command, or piped into it. */
  readonly stdin: StandardInput;
  /** Whether stderr is a terminal, so that a line may be redrawn. */
  readonly stderrIsTty: boolean;
  /** The files that the command line names. A command adds those that it comes to know of. */
  readonly files: NamedFiles;
  /** The output that was lost. A command that may be interrupted is, and all of it is told at the end. */
  readonly losses: Losses;
  /** Waits until stdout and stderr have what was written to them, or can take no more. A signal ends the process. */
  settled(): Promise<void>;
}

export interface Widths {
  readonly stdout: number | undefined;
  readonly stderr: number | undefined;
}

/** Writing never throws: what cannot be written is a loss. */
export interface TextSink {
  write(text: string | Uint8Array): void;
  /** Its reader has not taken what was written before. Left out where whatever is written is taken at once. */
  readonly isBehind?: boolean;
  /** Resolves when its reader has taken all, or takes nothing any more. */
  settled?(): Promise<void>;
}

/** Any NO_COLOR that is not empty turns colours off (https://no-color.org); FORCE_COLOR turns them on. */
function wantsColor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

const narrowest = 20;
const usual = 80;

/** COLUMNS is the word of the user, and goes before what the terminal says; some terminals say nothing. */
export function terminalWidth(
  { isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number },
  env: NodeJS.ProcessEnv,
): number | undefined {
  if (isTTY !== true) return undefined;
  const wanted = Number(env.COLUMNS);
  return Math.max(narrowest, Number.isInteger(wanted) && wanted > 0 ? wanted : columns || usual);
}

/** Sentences are broken in any case, and are hard to read where they are very wide. */
export function proseWidth(width: number | undefined): number {
  return Math.min(width ?? usual, 100);
}

export function processIo(): CommandIo {
  const losses = new Losses(interrupt);
  const stdout = new ProcessOutput(outputStream(process.stdout), { name: 'stdout', losses });
  const stderr = new ProcessOutput(outputStream(process.stderr), { name: 'stderr', losses });
  return {
    stdout,
    stderr,
    env: process.env,
    colors: {
      stdout: wantsColor(process.stdout, process.env),
      stderr: wantsColor(process.stderr, process.env),
    },
    widths: {
      stdout: terminalWidth(process.stdout, process.env),
      stderr: terminalWidth(process.stderr, process.env),
    },
    stdin: processInput(),
    stderrIsTty: process.stderr.isTTY === true,
    files: new NamedFiles(),
    losses,
    settled: async () => {
      const interrupts = listenForInterrupts();
      // A pipe whose reader stands still would be waited for for ever.
      interrupts.onInterrupt((_, reason) => {
        if (isSignal(reason)) process.exit(exitCodes.interrupted);
      });
      await Promise.all([stdout.settled(), stderr.settled()]);
      interrupts.done();
    },
  };
}
