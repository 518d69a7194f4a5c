/** A status word that stands alone. It needs neither the messages nor the requests, most of what explain knows. */

import type { Diagnosis } from './diagnosis.ts';
import { bareStatusWordsIn } from './read/status-words.ts';
import { explainStatus } from './status/explain-status.ts';

const alone = /^(?:0x)?[0-9a-f_]+(?:ULL)?$/i;

/** @returns undefined for any other text, and for a word that is in no table. */
export function explainStatusWord(text: string): Diagnosis | undefined {
  const [word, ...others] = alone.test(text) ? bareStatusWordsIn(text) : [];
  if (word === undefined || others.length > 0) return undefined;
  const status = explainStatus(word);
  const { answer } = status;
  if (answer === undefined) return undefined;
  const said = {
    line: 1,
    text,
    count: 1,
    refusal: undefined,
    check: undefined,
    message: undefined,
  };
  return {
    linesRead: 1,
    place: undefined,
    explanations: [{ ...said, answer, status }],
    notKnown: [],
    left: 0,
  };
}
