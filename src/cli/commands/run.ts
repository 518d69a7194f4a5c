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

export function runCommand(io: CommandIo) {
  return new Command('run')
    .summary('build a TD from a file, hold it, and take it down again')
    .description(
      'Takes a TD through its whole life in the foreground: builds it step by step, holds it once ' +
        'it is runnable, and takes it down on Ctrl-C, SIGTERM or a failed step. Whatever happens, ' +
        'everything it took is given back.',
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
      ] as const),
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
  tdctl run td.yaml --host soft                   real VM, vCPU and memory slots, simulated TDX module
  tdctl run td.yaml --host kvm -o json            for real; one JSON event a line
  tdctl run td.yaml --host sim --until runnable --fault TDH.MNG.KEY.CONFIG#2=TDX_KEY_GENERATION_FAILED
  tdctl run td.yaml --host sim --until runnable --trace td.trace
  tdctl run --plan td.plan                        as planned, or not at all

Exit codes: 0 done · 1 failed, or output was lost · 3 no such file · 4 plan is stale, or another
            command is writing the file · 5 file invalid ·
            6 MRTD not as expected · 7 a limit of the host is reached · 8 host unsupported ·
            130 interrupted before runnable`,
    )
    .action(async (spec, options, command) => {
      const { run } = await import('../run/run.ts');
      await run({ spec, ...options, typed: typedWords(command) }, io);
    });
}
