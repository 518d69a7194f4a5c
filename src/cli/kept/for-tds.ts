/** What the commands have in common that do something to TDs: which ones, and how it is told. */
import { Command } from '@commander-js/extra-typings';
import type { CommandIo } from '../io.ts';
import { allOption, keptOutputOption, namesArgument, selectorOption } from './options.ts';

export const forTds = (name: string) =>
  new Command(name)
    .addArgument(namesArgument())
    .addOption(selectorOption())
    .addOption(allOption())
    .addOption(keptOutputOption());

type OptionsForTds = ReturnType<ReturnType<typeof forTds>['opts']>;

/** The action of a command that asks the keepers for what it is called. */
export function askTds(
  verb: 'pause' | 'resume',
  { io, endWith }: { readonly io: CommandIo; readonly endWith: (exitCode: number) => void },
) {
  return async (names: string[], options: OptionsForTds): Promise<void> => {
    const { actOnTds } = await import('./actions.ts');
    const { asking } = await import('./verbs/asked.ts');
    const { output } = options;
    await actOnTds({ names, ...options }, { verb, act: asking(verb), output, io, endWith });
  };
}
