import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { ExitCode } from '../../errors/index.ts';
import { inputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import {
  countOption,
  destinationVcpusOption,
  hopsOption,
  rehearsedHostOption,
  rehearsedKernelOption,
  repeatableFault,
  slotsLeftOption,
  uncheckedOption,
} from '../options.ts';

const explanation = `
Plays what \`tdctl rehearse\` would play, and serves a page of this machine that shows it live: the
charts with the active states lit, both VMs of a migration side by side, steps, key slots, events. The
address has a token: who knows it may look. The page stays until Ctrl-C, or --until-end.
With the name of a TD that was created it shows that one, until it ends; Ctrl-C leaves it to its keeper.

Examples:
  tdctl watch td.yaml --kernel rfc-migration-v2                a migration, two steps a second
  tdctl watch td.yaml --kernel rfc-migration-v2 --paused       step by step, from the page
  tdctl watch td.yaml --kernel rfc-migration-v2 --fault KVM_ENABLE_CAP#6=source-dies
  tdctl watch td.yaml --hops 0 --tree                          without a move, in the terminal
  tdctl watch td.yaml --hops 0 --host soft                     real VMs and vCPUs, at their own pace
  tdctl watch web                                              the TD \`web\` of \`tdctl list\`

Exit codes: as of \`tdctl rehearse\` · 4 also where the port or the socket cannot be had, or the TD is over · of a TD:
0 it was taken down as asked · 1 it has failed, or its keeper died`;

export function watchCommand(io: CommandIo, endWith: (exitCode: ExitCode) => void) {
  return new Command('watch')
    .summary('see a TD and its migration live, in a browser or in the terminal')
    .description(
      'Plays a TD or a scenario, or takes one that was created, and shows its statecharts while they go on.',
    )
    .addArgument(
      inputFile(
        new Argument(
          '<file>',
          'TrustDomain file, a Rehearsal file with operations of its own, or the name of a TD',
        ),
      ),
    )
    .addOption(rehearsedHostOption())
    .addOption(rehearsedKernelOption())
    .addOption(
      new Option('--port <n>', 'port of 127.0.0.1; 0 takes one that is free').conflicts('socket'),
    )
    .option('--socket <path>', 'serve on a Unix socket that only you may open')
    .option('--tree', 'show it in the terminal; the page only with --port or --socket')
    .option('--speed <n>', 'steps a second of a simulated run, 0.1 to 1000, or max (default: 2)')
    .option('--paused', 'begin paused')
    .option('--until-end', 'end with the run, rather than go on serving')
    .addOption(hopsOption())
    .addOption(countOption())
    .addOption(slotsLeftOption())
    .addOption(uncheckedOption())
    .addOption(destinationVcpusOption())
    .addOption(repeatableFault('a fault, as for `tdctl rehearse`; repeatable'))
    .addHelpText('after', explanation)
    .action(async (file, options) => {
      const { watch } = await import('../watch/watch.ts');
      endWith(await watch({ file, ...options }, io));
    });
}
