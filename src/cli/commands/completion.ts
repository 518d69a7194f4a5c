import { Argument, Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { shells } from '../completion/shells.ts';
import type { CommandIo } from '../io.ts';

export function completionCommand(io: CommandIo, wholeTree: () => Promise<CommandUnknownOpts>) {
  return new Command('completion')
    .summary('print a completion script for a shell')
    .description(
      'Prints a script with which a shell completes commands, options, their values and files. ' +
        'It is made of the commands of this tdctl, so print it again after an update.',
    )
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .addHelpText(
      'after',
      `
Examples:
  source <(tdctl completion bash)                          for this shell; in ~/.bashrc for all
  tdctl completion zsh > "\${fpath[1]}/_tdctl"              zsh finds it there
  tdctl completion fish > ~/.config/fish/completions/tdctl.fish

Exit codes: 0 printed · 2 no such shell`,
    )
    .action(async (shell) => {
      const { completionScript } = await import('../completion/scripts.ts');
      const { nodesOf } = await import('../completion/tree.ts');
      io.stdout.write(completionScript(shell, nodesOf(await wholeTree())));
    });
}
