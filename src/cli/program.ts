/** The command tree, and what commander makes of the words that were typed. */
import { Command, CommanderError, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { exitCodes } from '../errors/index.ts';
import { askedFormat } from './asked-format.ts';
import { commandGroups, commandTable } from './command-table.ts';
import { conclude, type Ended } from './failure.ts';
import { checkFiles, takeStandardOutput } from './file-arguments.ts';
import { atWidth } from './help.ts';
import { type CommandIo, proseWidth } from './io.ts';
import type { OutputFormat } from './options.ts';
import type { Said } from './usage-error.ts';
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
  const said: Said[] = [];
  try {
    const words = await understood(args);
    const root = await program({ ...io }, endWith, { word: words[0], said });
    await root.parseAsync(words, { from: 'user' });
    return { exitCode };
  } catch (error) {
    if (!(error instanceof CommanderError)) return { error: await inWords(error) };
    // Help and version end by an exception too, with exit code 0.
    if (error.exitCode === 0) return { exitCode: exitCodes.ok };
    const { usageError, usageText } = await import('./usage-error.ts');
    if (format === 'json') return { error: usageError(error, said) };
    io.stderr.write(usageText(said));
    return { exitCode: exitCodes.usage };
  }
}

/** Words of habit are looked at where the first word is no command. */
async function understood(args: readonly string[]): Promise<readonly string[]> {
  const [word] = args;
  const names = ['help', ...Object.keys(commandTable)];
  if (word === undefined || names.includes(word)) return args;
  const { understand } = await import('./understand.ts');
  return understand(args, names);
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

interface Asked {
  /** The command that is needed. Where it is none, all are: as for help, and for suggestions. */
  readonly word?: string | undefined;
  /** Takes what commander finds wrong, which is told when all of it is known. */
  readonly said?: Said[];
}

export async function program(
  io: OwnIo,
  endWith: (exitCode: number) => void,
  { word = '', said = [] }: Asked = {},
): Promise<Command> {
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
  const wholeTree = async () => (await program(io, endWith)) as CommandUnknownOpts;
  const isNeeded = (name: string) => !Object.hasOwn(commandTable, word) || name === word;
  for (const [title, group] of Object.entries(commandGroups)) {
    root.commandsGroup(`${title}:`);
    const makers = Object.entries(group).filter(([name]) => isNeeded(name));
    const commands = await Promise.all(makers.map(([, make]) => make(io, endWith, wholeTree)));
    for (const command of commands) root.addCommand(command as Command);
  }
  // That of commander itself, `help`, is in the last group.
  root.helpCommand(true);
  for (const command of withSubcommands(root)) {
    atWidth(command, () => proseWidth(io.widths.stdout));
    command
      .exitOverride()
      .configureHelp({ minWidthToWrap: 16 })
      .showHelpAfterError('(--help shows what there is)')
      .configureOutput({
        writeOut: (text) => io.stdout.write(text),
        writeErr: (text) => said.push({ text }),
        getOutHelpWidth: () => proseWidth(io.widths.stdout),
        getErrHelpWidth: () => proseWidth(io.widths.stderr),
        outputError: (text) => said.push({ text, command }),
      });
  }
  return root;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap((sub) => withSubcommands(sub as Command))];
}
