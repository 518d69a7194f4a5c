import type { CommandIo } from '../io.ts';
import { forTds } from '../kept/for-tds.ts';
import { timeoutOption } from '../kept/options.ts';

export function deleteCommand(io: CommandIo, endWith: (exitCode: number) => void) {
  return forTds('delete')
    .summary('delete the records of kept TDs that are over')
    .description(
      'Deletes the record of a TD that is over: its file as it was given, its journal, and what its guest printed. One ' +
        'that lives is refused, unless --force stops it first and waits for its end.',
    )
    .option('--force', 'stop those that live, and wait for their end')
    .addOption(timeoutOption({ has: ({ force }) => force === true, only: 'for --force' }))
    .addHelpText(
      'after',
      `
Examples:
  tdctl delete $(tdctl list --state lost failed -o name)
  tdctl delete hello --force
  tdctl delete -l run=nightly --force

Exit codes: 0 deleted · 1 failed, or still being taken down after --timeout · 2 usage · 3 no such TD · 4 it lives ·
            130 interrupted`,
    )
    .action(async (names, { force, timeout, ...options }) => {
      const { actOnTds } = await import('../kept/actions.ts');
      const { durationOf } = await import('../duration.ts');
      const { deleting } = await import('../kept/verbs/delete.ts');
      const { output } = options;
      const act = deleting({ force, timeoutMs: durationOf(timeout, '--timeout') });
      await actOnTds({ names, ...options }, { verb: 'delete', act, output, io, endWith });
    });
}
