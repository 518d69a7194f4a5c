import { Argument, Command, Option } from '@commander-js/extra-typings';
import { inputFile, outputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import {
  faultOption,
  hostOption,
  kernelOption,
  logFileOption,
  logLevelOption,
  outputOption,
} from '../options.ts';
import { typedWords } from '../typed-words.ts';
import { usefulWith } from '../useful-options.ts';

/** Before it runs, a guest prints nothing. */
const forGuests = usefulWith({
  has: ({ until }) => until !== 'runnable',
  only: 'for a guest that runs, and not for `--until runnable`',
});

export function runCommand(io: CommandIo) {
  return new Command('run')
    .summary('build a TD from a file, run its guest, and take it down again')
    .description(
      'Takes a TD through its whole life in the foreground: builds it step by step, runs its guest ' +
        'until that ends, and takes it down then, on Ctrl-C, SIGTERM or a failed step. Whatever happens, ' +
        'everything it took is given back. SIGUSR2, or the key p, pauses the guest and resumes it; ' +
        'Ctrl-Z pauses it before tdctl is stopped.',
    )
    .addArgument(inputFile(new Argument('[spec]', 'TrustDomain file (`tdctl init` writes one)')))
    .addOption(
      inputFile(
        new Option(
          '--plan <file>',
          'run what `tdctl plan --save` wrote, if nothing has changed since',
        ).conflicts(['host', 'kernel']),
      ),
    )
    .addOption(hostOption())
    .addOption(kernelOption())
    .addOption(
      new Option('--until <state>', 'take it down by itself once it is there').choices([
        'runnable',
        'running',
      ] as const),
    )
    .addOption(
      forGuests(
        new Option(
          '--for <time>',
          'take it down after it has run so long: 500ms, 3s, 5min',
        ).conflicts('until'),
      ),
    )
    .addOption(
      forGuests(
        new Option(
          '--console',
          "attach this terminal to the guest's serial port; ^] leaves it. In a pipe, all bytes pass",
        ),
      ),
    )
    .addOption(
      forGuests(
        outputFile(
          new Option('--console-log <file>', 'keep what the guest prints, after what is there'),
        ),
      ),
    )
    .option('--any-measurement', 'start even if the MRTD is not the one the file expects')
    .addOption(faultOption('a sim or soft host'))
    .addOption(
      outputFile(
        new Option(
          '--trace <file>',
          'write every ioctl and SEAMCALL leaf of a sim or soft host to a file (.jsonl: as JSON)',
        ),
      ),
    )
    .addOption(outputOption())
    .addOption(logLevelOption())
    .addOption(logFileOption())
    .addHelpText(
      'after',
      `
Examples:
  tdctl run td.yaml --host sim --until runnable   rehearse it anywhere: no KVM, no privilege
  tdctl run td.yaml --host soft                   the guest runs in a real VM, beside a simulated TDX module
  tdctl run td.yaml --host soft --console         typing at it; ^] leaves, and the guest runs on
  tdctl run td.yaml --host soft --for 3s --console-log guest.log
  tdctl run td.yaml --host kvm -o json            for real; one JSON event a line
  tdctl run td.yaml --host sim --until runnable --fault TDH.MNG.KEY.CONFIG#2=TDX_KEY_GENERATION_FAILED
  tdctl run td.yaml --host sim --until runnable --trace td.trace
  tdctl run --plan td.plan                        as planned, or not at all

Exit codes: 0 done · 1 failed, also of the guest, or output was lost · 3 no such file · 4 plan is stale, or another
            command is writing the file · 5 file invalid ·
            6 MRTD not as expected · 7 a limit of the host is reached · 8 host unsupported ·
            130 interrupted before runnable`,
    )
    .action(async (spec, options, command) => {
      const { run } = await import('../run/run.ts');
      await run({ spec, ...options, typed: typedWords(command) }, io);
    });
}
