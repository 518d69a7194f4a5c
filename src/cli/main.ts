#!/usr/bin/env node
import { exitCodes } from '../errors/index.ts';
import { processIo } from './io.ts';

const args = process.argv.slice(2);

if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  // Scripts ask for the version often, and need no command tree for it.
  const { version } = await import('./version.ts');
  const { conclude } = await import('./failure.ts');
  const io = processIo();
  io.stdout.write(`${version()}\n`);
  process.exitCode = await conclude({ exitCode: exitCodes.ok }, { io, format: 'text' });
} else {
  const { runCli } = await import('./program.ts');
  const { withSourceLines } = await import('./source-lines.ts');
  // Node prints the errors that no command catches.
  process.on('uncaughtExceptionMonitor', (error) => {
    if (error instanceof Error && error.stack) error.stack = withSourceLines(error.stack);
  });
  process.exitCode = await runCli(args, processIo());
}
