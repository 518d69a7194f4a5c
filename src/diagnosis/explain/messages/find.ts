/** Finds the messages of the table in a text. What no row can say is told by one look at every word. */
import { Automaton } from '../log/automaton.ts';
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

interface Row {
  readonly message: Message;
  readonly wording: Wording;
}

export const rows: readonly Row[] = allMessages.flatMap((message) =>
  [message.says].flat().map((text) => ({ message, wording: new Wording(text) })),
);

const rowsByKey = new Map<string, Row[]>();
for (const row of rows) {
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
  ...rows.flatMap(({ wording: { key, secondKey } }) => (enough.has(key) ? [] : (secondKey ?? []))),
]);
const words = [...new Set([...enough, ...named, ...telling])];

/** The first filter: made of the table, so that it lets through whatever the table knows. */
export const wordsOfInterest: WordsOfInterest = {
  automaton: new Automaton(words),
  weights: words.map(
    (word) =>
      (enough.has(word) ? weights.enough : 0) |
      (named.has(word) ? weights.named : 0) |
      (telling.has(word) ? weights.telling : 0),
  ),
};

const rowsByWord: readonly (readonly Row[])[] = words.map((word) => rowsByKey.get(word) ?? []);

/** The rows whose key is in a text: no other can be in it. */
export function rowsWithKeyIn(text: string): readonly Row[] {
  const found: Row[] = [];
  for (const word of wordsOfInterest.automaton.wordsIn(text)) {
    for (const row of rowsByWord[word] ?? []) found.push(row);
  }
  return found;
}

/** Whether any of the rows is a message of the text. Most are none, which a second word of them tells. */
export function isAnyIn(candidates: readonly Row[], text: string, where: Where): boolean {
  const lower = text.toLowerCase();
  return candidates.some(
    ({ wording }) =>
      lower.includes(wording.secondKey ?? '') && wording.find(text, where) !== undefined,
  );
}

/**
 * The messages in a text, in its order. Where two lie over each other, the one with more fixed words
 * is meant.
 */
export function messagesIn(text: string, where?: Where): readonly FoundMessage[] {
  const found: FoundMessage[] = [];
  for (const row of rowsWithKeyIn(text)) {
    const place = row.wording.find(text, where);
    if (place !== undefined) found.push({ ...row, ...place });
  }
  found.sort((a, b) => b.wording.weight - a.wording.weight);
  const kept: FoundMessage[] = [];
  for (const one of found) {
    if (kept.every(({ start, end }) => one.end <= start || end <= one.start)) kept.push(one);
  }
  return kept.sort((a, b) => a.start - b.start);
}
