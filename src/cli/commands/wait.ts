import { Option } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';
import { forTds } from '../kept/for-tds.ts';
import { goals, timeoutOption } from '../kept/options.ts';

export function waitCommand(io: CommandIo, endWith: (exitCode: number) => void) {
  return forTds('wait')
    .summary('wait until kept TDs are in a state')
    .description(
      'Returns when the TDs are in that state. One that is over and will not come to it any more ends the wait at once. ' +
        'A TD that runs or is paused has been runnable.',
    )
    .addOption(
      new Option('--for <state>', 'a state of `tdctl list`, over (whichever way), or deleted')
        .choices(goals)
        .makeOptionMandatory(),
    )
    .addOption(timeoutOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl wait hello --for running --timeout 1min
  tdctl wait --all --for over

Exit codes: 0 they are · 1 not in time, or over and in another state · 2 usage · 3 no such TD · 130 interrupted`,
    )
    .action(async (names, { for: goal, timeout, ...options }) => {
      const { actOnTds } = await import('../kept/actions.ts');
      const { durationOf } = await import('../duration.ts');
      const { waiting, absentFor } = await import('../kept/wait.ts');
      const { output } = options;
      const act = waiting({ goal, timeoutMs: durationOf(timeout, '--timeout') });
      const absent = absentFor(goal);
      await actOnTds({ names, ...options }, { verb: 'wait', act, absent, output, io, endWith });
    });
}
