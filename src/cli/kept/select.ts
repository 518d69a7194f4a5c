/** Which TDs a command is for: by name, by label, or all. */
import { nearest } from '../../documents/nearest.ts';
import { TdctlError } from '../../errors/index.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import { readKeptTd, readKeptTds } from '../../keeper/kept-tds.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import { checkTdName } from '../../keeper/td-files.ts';

export interface Selection {
  readonly names: readonly string[];
  /** As given to `-l`. */
  readonly selector: readonly string[];
  readonly all?: boolean | undefined;
}

/** A name that was given, and the TD, if there is one. */
export interface Selected {
  readonly name: string;
  readonly td: KeptTd | undefined;
}

/**
 * In the order in which they were named, each once; those that were not named by their names.
 * @throws TdctlError TDCTL_E_USAGE where it is not said which, or in two ways, or a name can be none.
 */
export function select(state: StateDirectory, selection: Selection): readonly Selected[] {
  const { names, all } = selection;
  refuseTwoWays(selection);
  if (names.length === 0) {
    if (selection.selector.length === 0 && all !== true) throw notSaid();
    return selectTds(state, selection).map((td) => ({ name: td.name, td }));
  }
  for (const name of names) checkTdName(name);
  return [...new Set(names)].map((name) => ({ name, td: readKeptTd(state, name) }));
}

/** Those with the labels, or all where none is given. */
export function selectTds(
  state: StateDirectory,
  { selector }: Pick<Selection, 'selector'>,
): readonly KeptTd[] {
  const wanted = selector.flatMap(labelsOf);
  const tds = readKeptTds(state);
  if (wanted.length === 0) return tds;
  return tds.filter(({ labels }) => wanted.every(([key, value]) => labels[key] === value));
}

/** @throws TdctlError TDCTL_E_NOT_FOUND. */
export function theTd(state: StateDirectory, name: string): KeptTd {
  checkTdName(name);
  const td = readKeptTd(state, name);
  if (td === undefined) throw noSuchTd(state, name);
  return td;
}

export function noSuchTd(state: StateDirectory, name: string): TdctlError {
  const names = readKeptTds(state).map((td) => td.name);
  const meant = nearest(name, names);
  const all = '`tdctl list` shows the TDs that there are';
  return new TdctlError({
    code: 'TDCTL_E_NOT_FOUND',
    op: 'look for a TD',
    message: `there is no TD \`${name}\``,
    hint: meant === undefined ? all : `did you mean \`${meant}\`? ${all}`,
  });
}

function labelsOf(text: string): (readonly [string, string])[] {
  return text.split(',').map((label) => {
    const [, key, value] = /^([^=!\s]+)==?([^=\s]*)$/.exec(label.trim()) ?? [];
    if (key !== undefined && value !== undefined) return [key, value];
    throw new TdctlError({
      code: 'TDCTL_E_USAGE',
      op: 'select TDs by their labels',
      place: `-l ${text}`,
      message: `\`${shortened(label)}\` is no label with its value`,
      hint: 'give -l key=value, and several as -l a=1 -l b=2 or -l a=1,b=2: a TD must have all of them',
    });
  });
}

function refuseTwoWays({ names, selector, all }: Selection): void {
  const other = selector.length > 0 ? '-l' : all === true ? '--all' : undefined;
  if (names.length === 0 || other === undefined) return;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'look which TDs are meant',
    place: other,
    message: `TDs are named, and ${other} selects others`,
    hint: `name them, or leave the names out and use ${other} alone`,
  });
}

function notSaid(): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'look which TDs are meant',
    message: 'it is not said which TDs are meant',
    hint: 'give their names (`tdctl list`), -l key=value for those with a label, or --all',
  });
}

function shortened(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 32)}… (${text.length} characters)`;
}
