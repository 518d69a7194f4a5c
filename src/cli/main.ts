#!/usr/bin/env node
import { processIo } from './io.ts';

const args = process.argv.slice(2);

// `tdctl | head` closes the pipe, and that is no defect to report.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  // Scripts ask for the version often, and need no command tree for it.
  const { version } = await import('./version.ts');
  process.stdout.write(`${version()}\n`);
} else {
  const { runCli } = await import('./program.ts');
  const { withSourceLines } = await import('./source-lines.ts');
  // Node prints the errors that no command catches.
  process.on('uncaughtExceptionMonitor', (error) => {
    if (error instanceof Error && error.stack) error.stack = withSourceLines(error.stack);
  });
  process.exitCode = await runCli(args, processIo());
}
