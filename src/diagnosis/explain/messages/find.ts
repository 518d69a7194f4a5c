/** Finds the messages of the table in a text. What no row can say is told by one look at every word. */
import { Automaton } from '../log/automaton.ts';
import { wordsOfForms } from '../log/line-reader.ts';
import { freeWords } from '../read/recognise.ts';
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

const words = [...new Set([...rowsByKey.keys(), ...freeWords, ...wordsOfForms])];

/** The first filter: made of the table, so that it lets through whatever the table knows. */
export const wordsOfInterest = new Automaton(words);

/**
 * The messages in a text, in its order. Where two lie over each other, the one with more fixed words
 * is meant.
 */
export function messagesIn(text: string, where?: Where): readonly FoundMessage[] {
  const found: FoundMessage[] = [];
  for (const word of wordsOfInterest.wordsIn(text)) {
    for (const row of rowsByKey.get(words[word] ?? '') ?? []) {
      const place = row.wording.find(text, where);
      if (place !== undefined) found.push({ ...row, ...place });
    }
  }
  found.sort((a, b) => b.wording.weight - a.wording.weight);
  const kept: FoundMessage[] = [];
  for (const one of found) {
    if (kept.every(({ start, end }) => one.end <= start || end <= one.start)) kept.push(one);
  }
  return kept.sort((a, b) => a.start - b.start);
}
