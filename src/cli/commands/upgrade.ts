import { Option } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';
import { forTds } from '../kept/for-tds.ts';
import { withOption } from '../kept/options.ts';

export function upgradeCommand(io: CommandIo, endWith: (exitCode: number) => void) {
  return forTds('upgrade')
    .summary('move kept TDs to keepers of another tdctl, while they run')
    .description(
      'Moves each TD to a keeper of the tdctl that is typed here, or of another one, as `tdctl migrate` does: on the ' +
        'same host, without a stop and without copying its memory. A TD whose keeper is of that version already is ' +
        'left alone. The first failure ends it: that TD stays where it is, unless something else is said of it, and ' +
        'those after it are told as not tried. Ctrl-C begins no further move, and waits for those under way; a second ' +
        'one leaves them to their keepers.',
    )
    .addOption(withOption())
    .addOption(new Option('--parallel <n>', 'so many TDs at once').default('1'))
    .addOption(new Option('--force', 'moves those too whose keeper is of that version'))
    .addHelpText(
      'after',
      `
Examples:
  tdctl upgrade --all
  tdctl upgrade web db --with /opt/tdctl-0.3.0
  tdctl upgrade --all --parallel 4 -o json

Exit codes: 0 each TD has a keeper of that version · 1 a TD is lost, or is moved and not as it was · 2 usage ·
            3 no such TD · 4 one cannot leave as it stands · 7 there is no room for it · 8 the kernel moves no TDs, or
            the two tdctl have no version in common: it keeps running under the one it has · 130 interrupted, with
            TDs that were not tried`,
    )
    .action(async (names, options) => {
      const { upgrade } = await import('../kept/move/upgrade.ts');
      await upgrade({ names, ...options }, options, { io, endWith });
    });
}
