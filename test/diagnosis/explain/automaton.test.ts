import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { Automaton, wordsIn } from '../../../src/diagnosis/explain/log/automaton.ts';

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '_'), minLength: 1, maxLength: 4 });
const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'c', '_', 'A', 'B', ' ', 'Å'),
  maxLength: 30,
});

test.prop([fc.uniqueArray(word, { maxLength: 20 }), text])(
  'words are found in a text by itself as the automaton finds them, in its order',
  (words, text) => {
    expect(wordsIn(text, words)).toEqual(new Automaton(words).wordsIn(text));
  },
);
