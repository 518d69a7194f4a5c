import { Argument, Command, Option } from '@commander-js/extra-typings';
import type { ExitCode } from '../../errors/index.ts';
import { inputFile } from '../file-arguments.ts';
import type { CommandIo } from '../io.ts';
import { outputOption } from '../options.ts';

/** @param endWith takes 6 where there are findings. */
export function traceCommand(io: CommandIo, endWith: (exitCode: ExitCode) => void) {
  const trace = new Command('trace')
    .summary('judge the calls that a VMM made to KVM')
    .description('Works on traces: those of `tdctl exec --trace`, and those of strace.')
    .enablePositionalOptions();
  // Typed by what `trace` itself takes; the parent only dispatches to it.
  trace.addCommand(lintCommand(io, endWith) as unknown as Command);
  return trace;
}

const explanation = `
FILE is a trace of \`tdctl exec --trace\`, text or JSON lines, or the output of strace on a real host:

  strace -f -y -o qemu.strace -e trace=ioctl,openat,close,dup,fcntl qemu-system-x86_64 …

strace does not show what KVM_MEMORY_ENCRYPT_OP and other pointers point to. Which TDX command a call
was is inferred from its place among the others, and the finding says so; what cannot be inferred is
not judged.

Examples:
  tdctl trace lint qemu.trace
  tdctl trace lint qemu.strace --host sim:gnr-2.0
  tdctl trace lint qemu.trace --kernel series-v9   what an earlier kernel would refuse
  tdctl trace lint qemu.trace -o json | jq '.findings[] | select(.severity == "error")'

Exit codes: 0 nothing but notes · 6 errors or warnings · 5 FILE is no trace · 3 no such file`;

function lintCommand(io: CommandIo, endWith: (exitCode: ExitCode) => void) {
  return new Command('lint')
    .summary('say what a kernel refuses, what is missing and what is superfluous')
    .description(
      'Plays a trace on a simulated host, and says of each call what the kernel refuses and why, and of ' +
        'each TD what its VMM forgot, what is of no use, and whether its key slot was given back.',
    )
    .addArgument(
      inputFile(new Argument('<file>', 'trace of tdctl or of strace; - is standard input')),
    )
    .addOption(
      new Option(
        '--host <host>',
        'sim[:PROFILE]: whose limits (default: as the trace says, or sim)',
      ),
    )
    .addOption(
      new Option('--kernel <abi>', 'whose rules (default: as the trace says, or upstream-7.3)'),
    )
    .addOption(outputOption())
    .addHelpText('after', explanation)
    .action(async (file, options) => {
      const { lintFile } = await import('../trace/lint-file.ts');
      endWith(await lintFile({ file, ...options }, io));
    });
}
