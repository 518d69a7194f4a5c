/** What the commands have in common that do something to TDs: which ones, and how it is told. */
import { Command } from '@commander-js/extra-typings';
import { allOption, keptOutputOption, namesArgument, selectorOption } from './options.ts';

export const forTds = (name: string) =>
  new Command(name)
    .addArgument(namesArgument())
    .addOption(selectorOption())
    .addOption(allOption())
    .addOption(keptOutputOption());
