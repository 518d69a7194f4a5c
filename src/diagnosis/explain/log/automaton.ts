/** Finds any of many words in bytes, all at once: the automaton of Aho and Corasick. */

/** Letters, digits and `_`; whatever else is one class that ends every word. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789_';
const CLASSES = alphabet.length + 1;

/** `_` parts words: KVM_TDX_INIT_VM has the word TDX. */
export const classOfUnderscore = CLASSES - 1;

/** Small and capital letters are of one class. */
export const classOfByte: Uint8Array = new Uint8Array(256);
for (const [index, char] of [...alphabet].entries()) {
  classOfByte[char.charCodeAt(0)] = index + 1;
  classOfByte[char.toUpperCase().charCodeAt(0)] = index + 1;
}

export class Automaton {
  /** The next state, by state (already multiplied by the number of classes) and class. */
  readonly next: Int32Array;
  readonly words: readonly string[];
  /** The words that end in a state, by state. */
  readonly #ends: readonly (readonly number[])[];
  /** Whether any word ends in a state: what the inner loop asks. */
  readonly isEnd: Uint8Array;

  /** @param words in small letters, of letters, digits and `_` only */
  constructor(words: readonly string[]) {
    this.words = words;
    const trie = buildTrie(words);
    link(trie);
    this.next = trie.next;
    this.#ends = trie.ends;
    this.isEnd = Uint8Array.from(trie.ends, (ends) => (ends.length > 0 ? 1 : 0));
  }

  /** The indexes of the words that end in the state. */
  endingIn(state: number): readonly number[] {
    return this.#ends[state / CLASSES] ?? [];
  }

  /** The indexes of the words that are in the text, each once. */
  wordsIn(text: string): readonly number[] {
    const found: number[] = [];
    let state = 0;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      state = this.next[state + (code < 256 ? (classOfByte[code] ?? 0) : 0)] ?? 0;
      if (this.isEnd[state / CLASSES] === 1)
        for (const word of this.endingIn(state)) if (!found.includes(word)) found.push(word);
    }
    return found;
  }
}

/** What {@link Automaton.wordsIn} answers, in its order, for a text that is not worth making one. */
export function wordsIn(text: string, words: readonly string[]): readonly number[] {
  // Small letters of others than ASCII would be new to the automaton.
  const small = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return words
    .flatMap((word, index) => {
      const at = small.indexOf(word);
      return at < 0 ? [] : [{ index, end: at + word.length, length: word.length }];
    })
    .sort((a, b) => a.end - b.end || b.length - a.length)
    .map(({ index }) => index);
}

export const stateStride = CLASSES;

/** State 0 is the root; no child is there where `next` leads back to it. */
interface Trie {
  readonly next: Int32Array;
  readonly ends: number[][];
}

function buildTrie(words: readonly string[]): Trie {
  const mostStates = words.reduce((sum, { length }) => sum + length, 1);
  const next = new Int32Array(mostStates * CLASSES);
  const ends: number[][] = [[]];
  for (const [index, word] of words.entries()) {
    let state = 0;
    for (const char of word) {
      const place = state + symbolOf(char);
      if (next[place] === 0) next[place] = CLASSES * (ends.push([]) - 1);
      state = next[place] ?? 0;
    }
    ends[state / CLASSES]?.push(index);
  }
  return { next: next.subarray(0, ends.length * CLASSES), ends };
}

function symbolOf(char: string): number {
  const symbol = classOfByte[char.charCodeAt(0)] ?? 0;
  if (symbol === 0) throw new Error('a word to look for has a character that is none of a word');
  return symbol;
}

/** Breadth first: where a word goes on no further, the longest end of it that begins another does. */
function link({ next, ends }: Trie): void {
  const fallbacks = new Int32Array(ends.length);
  const queue = [0];
  for (const state of queue) {
    const fallback = fallbacks[state / CLASSES] ?? 0;
    for (let symbol = 1; symbol < CLASSES; symbol += 1) {
      const target = next[state + symbol] ?? 0;
      const other = state === 0 ? 0 : (next[fallback + symbol] ?? 0);
      if (target === 0) {
        next[state + symbol] = other;
        continue;
      }
      fallbacks[target / CLASSES] = other;
      ends[target / CLASSES]?.push(...(ends[other / CLASSES] ?? []));
      queue.push(target);
    }
  }
}
