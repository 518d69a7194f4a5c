import { Option } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';
import { forTds } from '../kept/for-tds.ts';
import { timeoutOption, waitOption } from '../kept/options.ts';

export function stopCommand(io: CommandIo, endWith: (exitCode: number) => void) {
  return forTds('stop')
    .summary('take kept TDs down; their records stay in the list')
    .description(
      'Takes a TD down and gives back all that it holds. It returns when that has begun, which for a large TD can take ' +
        'minutes: `tdctl list` says how long it still takes. With --wait it returns when it is over, and 0 means then ' +
        'that the key slot was seen to be free. A guest cannot be asked to end, since no button is wired to it: tell ' +
        'it on its console, and --grace gives it the time.',
    )
    .addOption(
      new Option(
        '--grace <time>',
        'so long a guest that runs may take to end by itself, before it is taken down: 30s',
      ),
    )
    .addOption(waitOption())
    .addOption(timeoutOption({ has: ({ wait }) => wait === true, only: 'for --wait' }))
    .addHelpText(
      'after',
      `
Examples:
  tdctl stop hello
  tdctl stop hello --wait --timeout 10min
  tdctl stop hello --grace 30s --wait
  tdctl stop --all --wait

Exit codes: 0 it has begun; with --wait it is over and the key slot is free · 1 still being taken down
            after --timeout, or something could not be given back · 2 usage · 3 no such TD · 130 interrupted while it
            waited, and the teardown goes on`,
    )
    .action(async (names, { grace, timeout, wait, ...options }) => {
      const { actOnTds } = await import('../kept/actions.ts');
      const { durationOf } = await import('../duration.ts');
      const { stopping } = await import('../kept/verbs/stop.ts');
      const { output } = options;
      const act = stopping({
        wait,
        graceMs: durationOf(grace, '--grace'),
        timeoutMs: durationOf(timeout, '--timeout'),
      });
      await actOnTds({ names, ...options }, { verb: 'stop', act, output, io, endWith });
    });
}
