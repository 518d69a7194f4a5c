/** The command tree. Commands import what they need when they run, not here. */
import { Command, CommanderError } from '@commander-js/extra-typings';
import { exitCodes } from '../errors/index.ts';
import { completionCommand } from './commands/completion.ts';
import { doctorCommand } from './commands/doctor.ts';
import { execCommand } from './commands/exec.ts';
import { explainCommand } from './commands/explain.ts';
import { fitCommand } from './commands/fit.ts';
import { footprintCommand } from './commands/footprint.ts';
import { graphCommand } from './commands/graph.ts';
import { hostCommand } from './commands/host.ts';
import { initCommand } from './commands/init.ts';
import { kernelsCommand } from './commands/kernels.ts';
import { manCommand } from './commands/man.ts';
import { measureCommand } from './commands/measure.ts';
import { planCommand } from './commands/plan.ts';
import { rehearseCommand } from './commands/rehearse.ts';
import { runCommand } from './commands/run.ts';
import { traceCommand } from './commands/trace.ts';
import { watchCommand } from './commands/watch.ts';
import { conclude, type Ended } from './failure.ts';
import { checkFiles, takeStandardOutput } from './file-arguments.ts';
import { atWidth } from './help.ts';
import { type CommandIo, proseWidth } from './io.ts';
import type { OutputFormat } from './options.ts';
import { sanitize } from './output/sanitize.ts';
import { understand, withAnswer } from './understand.ts';
import { askedFormat, usageError } from './usage-error.ts';
import { checkOptions } from './useful-options.ts';
import { version } from './version.ts';

export async function runCli(args: readonly string[], io: CommandIo): Promise<number> {
  const format = askedFormat(args);
  return conclude(await play(args, { io, format }), { io, format });
}

async function play(
  args: readonly string[],
  { io, format }: { readonly io: CommandIo; readonly format: OutputFormat },
): Promise<Ended> {
  // It is one of exitCodes, but for that of another program (`tdctl exec`).
  let exitCode: number = exitCodes.ok;
  const endWith = (code: number) => {
    exitCode = code;
  };
  try {
    const root = program({ ...io }, endWith);
    if (format === 'json') leaveErrorsToOthers(root);
    const names = ['help', ...root.commands.map((command) => command.name())];
    await root.parseAsync(understand(args, names), { from: 'user' });
    return { exitCode };
  } catch (error) {
    if (!(error instanceof CommanderError)) return { error: await inWords(error) };
    // Help and version end by an exception too, with exit code 0.
    if (error.exitCode === 0) return { exitCode: exitCodes.ok };
    // In words, commander has told it already.
    return format === 'json' ? { error: usageError(error) } : { exitCode: exitCodes.usage };
  }
}

async function inWords(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && error.name === 'KvmError')) return error;
  const { refusedOutside } = await import('./refused-outside.ts');
  return refusedOutside(error);
}

/** Its streams may be exchanged before a command acts. */
type OwnIo = { -readonly [Name in keyof CommandIo]: CommandIo[Name] };

function printOnStderr(io: OwnIo): void {
  io.stdout = io.stderr;
  io.colors = { ...io.colors, stdout: io.colors.stderr };
  io.widths = { ...io.widths, stdout: io.widths.stderr };
}

export function program(io: OwnIo, endWith: (exitCode: number) => void): Command {
  const root = new Command('tdctl')
    .description('Plan, provision, rehearse and show Intel TDX trust domains (TDs).')
    .version(version(), '-V, --version')
    // Otherwise the -o of `host diff A B -o json` would go to `host`.
    .enablePositionalOptions()
    .hook('preAction', (_, command) => {
      checkOptions(command);
      checkFiles(command, io.files);
      if (takeStandardOutput(command)) printOnStderr(io);
    })
    .addHelpText(
      'after',
      `
Examples:
  tdctl init td.yaml                              write a commented TrustDomain file
  tdctl measure OVMF.fd                           the MRTD a firmware image will have
  tdctl plan td.yaml --host sim                   what would be done, and what stands against it
  tdctl run td.yaml --host sim --until runnable   a TD's whole life, on any machine
  tdctl rehearse td.yaml --kernel rfc-migration-v2 --faults each
                                                  a migration, with a fault at every step
  tdctl doctor                                    what keeps this machine from running TDs
  dmesg | tdctl explain                           what a log, an errno or a status word meant
  tdctl host --host sim:gnr-2.0                   what binds on a host
  tdctl exec -- ./my-vmm td.json                  an unmodified VMM on a simulated TDX host
  tdctl trace lint qemu.strace                    what is wrong with the calls of a VMM
  tdctl graph td-lifecycle -o life.html           the life of a TD as a picture

Exit codes: 0 ok · 1 failed · 2 usage · 3 not found · 4 conflict · 5 spec invalid · 6 findings ·
            7 host limit reached · 8 host unsupported · 130 interrupted`,
    );
  const commands = [
    planCommand(io, endWith),
    fitCommand(io, endWith),
    footprintCommand(io),
    runCommand(io),
    rehearseCommand(io, endWith),
    doctorCommand(io, endWith),
    explainCommand(io),
    hostCommand(io, endWith),
    graphCommand(io),
    watchCommand(io, endWith),
    execCommand(io, endWith),
    traceCommand(io, endWith),
    kernelsCommand(io),
    measureCommand(io),
    initCommand(io),
    completionCommand(io),
    manCommand(io),
  ];
  for (const command of commands) root.addCommand(command as unknown as Command);
  for (const command of withSubcommands(root)) {
    atWidth(command, () => proseWidth(io.widths.stdout));
    command
      .exitOverride()
      .configureHelp({ minWidthToWrap: 16 })
      .showHelpAfterError('(--help shows what there is)')
      .configureOutput({
        writeOut: (text) => io.stdout.write(text),
        writeErr: (text) => io.stderr.write(text),
        getOutHelpWidth: () => proseWidth(io.widths.stdout),
        getErrHelpWidth: () => proseWidth(io.widths.stderr),
        outputError: (text, write) => write(sanitizedError(withAnswer(text, command))),
      });
  }
  return root;
}

/** What commander finds wrong is told as data then, and nothing else is on stderr. */
function leaveErrorsToOthers(root: Command): void {
  for (const command of withSubcommands(root)) {
    command.configureOutput({
      writeErr: () => undefined,
      outputError: (text) => {
        throw new CommanderError(exitCodes.usage, 'tdctl.usage', withAnswer(text, command));
      },
    });
  }
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap((sub) => withSubcommands(sub as Command))];
}

/** Commander quotes what was typed. The line ends of its own are the last, and the one before a suggestion. */
function sanitizedError(text: string): string {
  return text
    .split(/(\n(?:$|(?=\(Did you mean )))/)
    .map((part) => (part.startsWith('\n') ? part : sanitize(part)))
    .join('');
}
