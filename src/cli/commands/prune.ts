import { Command } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';
import { keptOutputOption } from '../kept/options.ts';

export function pruneCommand(io: CommandIo, endWith: (exitCode: number) => void) {
  return new Command('prune')
    .summary('delete the records of all TDs that are over')
    .description(
      'Deletes what TDs that are over have left, and finishes what a delete that was cut off has begun. What is held, ' +
        'or may be, it leaves alone.',
    )
    .option('--dry-run', 'say what would be deleted, and delete nothing')
    .addOption(keptOutputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl prune --dry-run
  tdctl prune

Exit codes: 0 deleted, also where there was nothing · 1 a record could not be deleted · 2 usage`,
    )
    .action(async (options) => {
      const { prune } = await import('../kept/prune.ts');
      await prune(options, io, endWith);
    });
}
