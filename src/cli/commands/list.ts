import { Command, Option } from '@commander-js/extra-typings';
import { keptStates } from '../../keeper/state.ts';
import type { CommandIo } from '../io.ts';
import { keptOutputOption, namesArgument, selectorOption, stateNames } from '../kept/options.ts';

const stateLines = Object.entries(keptStates)
  .map(([state, meaning]) => `  ${state.padEnd(10)}  ${meaning}`)
  .join('\n');

export function listCommand(io: CommandIo) {
  return new Command('list')
    .summary('list the kept TDs, those that are over too')
    .description(
      'Lists the TDs that `tdctl create` made, and those of a `tdctl run` that goes on, with what is true of them: ' +
        'also of one whose keeper was killed, or that a reboot has ended. It reads files, and asks no keeper unless ' +
        'it is told to.',
    )
    .addArgument(namesArgument())
    .addOption(selectorOption())
    .addOption(
      new Option('--state <state...>', 'only those in one of these states').choices(stateNames),
    )
    .option('--ask', 'ask the keepers, all at once, and give each a quarter of a second')
    .option('-w, --watch', 'again whenever it is another list, until Ctrl-C')
    .addOption(keptOutputOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl list
  tdctl list -l team=blue --state running paused
  tdctl list --watch
  tdctl list -o json | jq -r '.tds[] | select(.holdsKeySlot) | .name'
  tdctl delete $(tdctl list --state lost failed -o name)

The states:
${stateLines}

Exit codes: 0 listed, also where there is none · 2 usage · 3 no TD of a name that was given`,
    )
    .action(async (names, options) => {
      const { listTds } = await import('../kept/list.ts');
      await listTds(names, options, io);
    });
}
