/** Options that the commands for kept TDs share. */
import { Argument, Option } from '@commander-js/extra-typings';
import { type KeptState, keptStates } from '../../keeper/state.ts';
import { outputFormats } from '../options.ts';
import { usefulWith } from '../useful-options.ts';

export const keptFormats = [...outputFormats, 'name'] as const;
/** `name`: the names alone, a line each. */
export type KeptFormat = (typeof keptFormats)[number];

export const keptOutputOption = () =>
  new Option('-o, --output <format>', 'how to print: for people, as data, or the names alone')
    .choices(keptFormats)
    .default('text' as const);

/** The argument of this name is the name of a kept TD, which the shell completes. */
export const tdArgument = 'td';
export const namesArgument = () => new Argument(`[${tdArgument}...]`, 'names of TDs');
export const nameArgument = () => new Argument(`<${tdArgument}>`, 'the name of a TD');

export const withOption = () =>
  new Option(
    '--with <package>',
    'whose tdctl is to keep it: an unpacked package, the prefix of an installation, or the dist/keeper.js of either (default: the one that is typed)',
  );

export const selectorOption = () =>
  new Option(
    '-l, --selector <label>',
    'the TDs with this label, key=value; repeatable: with all of them',
  )
    .argParser((text: string, before: string[] | undefined) => [...(before ?? []), text])
    .default([] as string[], 'none');

export const allOption = () => new Option('--all', 'all TDs that there are').conflicts('selector');

export const stateNames = Object.keys(keptStates) as KeptState[];

/** What can be waited for: a state, one of those that are the end, and not to be in the list any more. */
export const goals = [...stateNames, 'over', 'deleted'] as const;
export type Goal = (typeof goals)[number];

export const waitOption = () =>
  new Option('--wait', 'return when it is over, and not when it has begun');

export const timeoutOption = (needed?: Parameters<typeof usefulWith>[0]) => {
  const option = new Option('--timeout <time>', 'wait no longer than this: 500ms, 30s, 5min, 2h');
  return needed === undefined ? option : usefulWith(needed)(option);
};
