import type { CommandIo } from '../io.ts';
import { forTds } from '../kept/for-tds.ts';

export function startCommand(io: CommandIo, endWith: (exitCode: number) => void) {
  return forTds('start')
    .summary('run the guests of kept TDs; those that are over begin a new life')
    .description(
      'Runs the guest of a TD that is built, or as soon as it is. One that is over is built again from the file that it ' +
        'was created from, as it was then, on the same host, and runs then.',
    )
    .option('--queue', 'where no key slot is free for a new life, wait for one')
    .addHelpText(
      'after',
      `
Examples:
  tdctl start hello
  tdctl start -l team=blue

Exit codes: 0 running, also where it ran already · 1 failed · 2 usage · 3 no such TD ·
            4 not in this state: a paused TD is resumed · 7 no key slot is free · 130 interrupted`,
    )
    .action(async (names, options) => {
      const { actOnTds } = await import('../kept/actions.ts');
      const { starting } = await import('../kept/verbs/start.ts');
      const { output } = options;
      const act = starting(options);
      await actOnTds({ names, ...options }, { verb: 'start', act, output, io, endWith });
    });
}
