import type { CommandIo } from '../io.ts';
import { forTds } from '../kept/for-tds.ts';
import { timeoutOption, waitOption } from '../kept/options.ts';

export function killCommand(io: CommandIo, endWith: (exitCode: number) => void) {
  return forTds('kill')
    .summary('take kept TDs down at once, also where a keeper does not answer')
    .description(
      'Takes a TD down without asking its guest. A keeper that does not answer is killed, once it is certain that the ' +
        'process is the keeper, and the kernel takes the TD down with it.',
    )
    .addOption(waitOption())
    .addOption(timeoutOption({ has: ({ wait }) => wait === true, only: 'for --wait' }))
    .addHelpText(
      'after',
      `
Examples:
  tdctl kill hello
  tdctl kill hello --wait

Exit codes: 0 it has begun; with --wait it is over · 1 still being taken down after --timeout ·
            2 usage · 3 no such TD · 130 interrupted while it waited`,
    )
    .action(async (names, { timeout, wait, ...options }) => {
      const { actOnTds } = await import('../kept/actions.ts');
      const { durationOf } = await import('../duration.ts');
      const { killing } = await import('../kept/verbs/kill.ts');
      const { output } = options;
      const act = killing({ wait, timeoutMs: durationOf(timeout, '--timeout') });
      await actOnTds({ names, ...options }, { verb: 'kill', act, output, io, endWith });
    });
}
