/** Finds the messages of the table in a text. What no row can say is told by one look at every word. */
import { once } from '../../../abi/once.ts';
import { Automaton, wordsIn } from '../log/automaton.ts';
import { type WordsOfInterest, weights, wordsOfForms } from '../log/line-reader.ts';
import { freeWords, tellingWords } from '../read/recognise.ts';
import { allMessages } from './index.ts';
import type { Message, Values } from './message.ts';
import { type Where, Wording } from './wording.ts';

export interface FoundMessage {
  readonly message: Message;
  readonly wording: Wording;
  readonly start: number;
  readonly end: number;
  readonly values: Values;
}

export interface Row {
  readonly message: Message;
  readonly wording: Wording;
}

export const rows = once<readonly Row[]>(() =>
  allMessages.flatMap((message) =>
    [message.says].flat().map((text) => ({ message, wording: new Wording(text) })),
  ),
);

interface Words {
  readonly all: readonly string[];
  readonly weights: WordsOfInterest['weights'];
  readonly rows: readonly (readonly Row[])[];
}

const words = once<Words>(() => {
  const rowsByKey = new Map<string, Row[]>();
  for (const row of rows()) {
    const { key } = row.wording;
    rowsByKey.set(key, [...(rowsByKey.get(key) ?? []), row]);
  }

  /** Every line on TDX has one: they count where a word is near that says how it went. */
  const named: ReadonlySet<string> = new Set(freeWords);
  const isEnough = (key: string) =>
    !named.has(key) ||
    (rowsByKey.get(key) ?? []).some(({ wording }) => wording.secondKey === undefined);

  const enough = new Set([...rowsByKey.keys(), ...wordsOfForms].filter(isEnough));
  const telling = new Set([
    ...tellingWords,
    ...rows().flatMap(({ wording: { key, secondKey } }) =>
      enough.has(key) ? [] : (secondKey ?? []),
    ),
  ]);
  const all = [...new Set([...enough, ...named, ...telling])];
  return {
    all,
    weights: all.map(
      (word) =>
        (enough.has(word) ? weights.enough : 0) |
        (named.has(word) ? weights.named : 0) |
        (telling.has(word) ? weights.telling : 0),
    ),
    rows: all.map((word) => rowsByKey.get(word) ?? []),
  };
});

const automaton = once(() => new Automaton(words().all));

/** The first filter: made of the table, so that it lets through whatever the table knows. */
export function wordsOfInterest(): WordsOfInterest {
  return { automaton: automaton(), weights: words().weights };
}

/** What the automaton takes to make is worth it for more texts than these. */
const fewTexts = 100;
let textsSoFar = 0;

/** The rows whose key is in a text: no other can be in it. */
export function rowsWithKeyIn(text: string): readonly Row[] {
  textsSoFar += 1;
  const isOneOfFew = textsSoFar <= fewTexts && text.length < 1000;
  return rowsOf(isOneOfFew ? wordsIn(text, words().all) : automaton().wordsIn(text));
}

/** @param found indexes of words of interest */
export function rowsOf(found: readonly number[]): readonly Row[] {
  const rowsFound: Row[] = [];
  for (const word of found) {
    for (const row of words().rows[word] ?? []) rowsFound.push(row);
  }
  return rowsFound;
}

/** As many characters as the longest message of the rows may have. */
export function reachOf(candidates: readonly Row[]): number {
  return candidates.reduce((most, { wording }) => Math.max(most, wording.reach), 0);
}

/** The messages in a text, in its order. */
export function messagesIn(text: string): readonly FoundMessage[] {
  return withoutCovered(foundIn(rowsWithKeyIn(text), text));
}

interface Among {
  readonly where: Where;
  /** All rows whose key is in the text. */
  readonly others: () => readonly Row[];
}

/**
 * Those that are among the rows, which are all whose key is in the line that is looked at. Most lines have a word of a
 * message and are none: only where one is there, those of the lines around may lie over it.
 */
export function messagesAmong(
  candidates: readonly Row[],
  text: string,
  { where, others }: Among,
): readonly FoundMessage[] {
  const own = foundIn(candidates, text, where);
  if (own.length === 0) return [];
  if (where.breaks?.size === 0) return withoutCovered(own);
  const around = others().filter((row) => !candidates.includes(row));
  return withoutCovered([...own, ...foundIn(around, text, where)]);
}

function foundIn(candidates: readonly Row[], text: string, where?: Where): FoundMessage[] {
  let lower: string | undefined;
  const found: FoundMessage[] = [];
  for (const row of candidates) {
    const { secondKey } = row.wording;
    // A second word of it tells of most that it is not there.
    if (secondKey !== undefined) {
      lower ??= text.toLowerCase();
      if (!lower.includes(secondKey)) continue;
    }
    const place = row.wording.find(text, where);
    if (place === undefined) continue;
    const { start, end, values } = place;
    found.push({ message: row.message, wording: row.wording, start, end, values });
  }
  return found;
}

/** Where two lie over each other, the one with more fixed words is meant. */
function withoutCovered(found: FoundMessage[]): readonly FoundMessage[] {
  if (found.length < 2) return found;
  found.sort((a, b) => b.wording.weight - a.wording.weight);
  const kept: FoundMessage[] = [];
  for (const one of found) {
    if (kept.every(({ start, end }) => one.end <= start || end <= one.start)) kept.push(one);
  }
  return kept.sort((a, b) => a.start - b.start);
}
