/** Runs the command line in this process. */
import type { CommandIo } from '../../src/cli/io.ts';
import { Losses } from '../../src/cli/output/losses.ts';
import { runCli } from '../../src/cli/program.ts';
import { NamedFiles } from '../../src/files/named-files.ts';

interface Terminal {
  readonly colors?: boolean;
  /** The columns of stdout and stderr; without it they are no terminals. */
  readonly width?: number | undefined;
}

interface CliOptions extends Terminal {
  /** Where the command runs. */
  readonly cwd?: string;
}

/** The outside of a command, and what it has written there. */
export function terminal({ colors = false, width }: Terminal = {}) {
  const written = { stdout: '', stderr: '' };
  const sink = (stream: keyof typeof written) => ({
    write: (text: string | Uint8Array) => {
      written[stream] += typeof text === 'string' ? text : Buffer.from(text).toString();
    },
  });
  const io: CommandIo = {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: { TDCTL_STATE_DIR: process.env.TDCTL_STATE_DIR },
    colors: { stdout: colors, stderr: colors },
    widths: { stdout: width, stderr: width },
    stdin: { isTty: false, pause: () => {}, resume: () => {}, listen: () => () => {} },
    stderrIsTty: false,
    files: new NamedFiles(),
    losses: new Losses(),
    settled: async () => undefined,
  };
  return { io, written };
}

export async function cli(args: readonly string[], { cwd, ...options }: CliOptions = {}) {
  const { io, written } = terminal(options);
  const before = process.cwd();
  if (cwd !== undefined) process.chdir(cwd);
  try {
    const exitCode = await runCli(args, io);
    return { exitCode, ...written };
  } finally {
    process.chdir(before);
  }
}
