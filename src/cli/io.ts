import { sanitize } from '../errors/sanitize.ts';

/** All that a command may touch of the outside: two streams and the environment. Tests give their own. */
export interface CommandIo {
  /** This stream is for data. */
  readonly stdout: TextSink;
  /** This stream is for talk: progress, hints, errors. */
  readonly stderr: TextSink;
  readonly env: NodeJS.ProcessEnv;
  /** Whether a person reads the stream with colours on. */
  readonly colors: { readonly stdout: boolean; readonly stderr: boolean };
  /** Whether stderr is a terminal, so that a line may be redrawn. */
  readonly stderrIsTty: boolean;
}

export interface TextSink {
  write(text: string): void;
}

/** Says one line to whoever runs the command. It may hold names from outside. */
export function say({ stderr }: CommandIo, line: string): void {
  stderr.write(`${sanitize(line)}\n`);
}

/** Any NO_COLOR that is not empty turns colours off (https://no-color.org); FORCE_COLOR turns them on. */
function wantsColor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

export function processIo(): CommandIo {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    colors: {
      stdout: wantsColor(process.stdout, process.env),
      stderr: wantsColor(process.stderr, process.env),
    },
    stderrIsTty: process.stderr.isTTY === true,
  };
}
