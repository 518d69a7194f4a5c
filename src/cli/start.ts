/** The command line of this process. What is imported here is loaded by every command. */
import { exitCodes } from '../errors/index.ts';
import type { Keeping } from './bundled/keep-code.ts';
import { commandTable } from './command-table.ts';
import { conclude } from './failure.ts';
import { processIo } from './io.ts';
import { runCli } from './program.ts';
import { withSourceLines } from './source-lines.ts';
import { version } from './version.ts';

/** @returns the exit code. */
export async function start(args: readonly string[]): Promise<number> {
  const io = processIo();
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
    // Scripts ask for the version often, and need no command tree for it.
    io.stdout.write(`${version()}\n`);
    return conclude({ exitCode: exitCodes.ok }, { io, format: 'text' });
  }
  // Node prints the errors that no command catches.
  process.on('uncaughtExceptionMonitor', (error) => {
    if (error instanceof Error && error.stack) error.stack = withSourceLines(error.stack);
  });
  return runCli(args, io);
}

/** Only the first runs of a command have something to keep. What is no command leaves nothing. */
export async function keepCode(word: string, keeping: Keeping): Promise<void> {
  if (word !== '' && !Object.hasOwn(commandTable, word)) return;
  const { keepCode } = await import('./bundled/keep-code.ts');
  await keepCode(keeping);
}
