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
    this.#ends = trie.ends;
    this.next = linked(trie);
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

export const stateStride = CLASSES;

interface Trie {
  readonly children: Int32Array[];
  readonly ends: number[][];
}

function buildTrie(words: readonly string[]): Trie {
  const trie: Trie = { children: [new Int32Array(CLASSES)], ends: [[]] };
  for (const [index, word] of words.entries()) {
    let node = 0;
    for (const char of word) node = child(trie, node, classOfByte[char.charCodeAt(0)] ?? 0);
    trie.ends[node]?.push(index);
  }
  return trie;
}

function child({ children, ends }: Trie, node: number, symbol: number): number {
  if (symbol === 0) throw new Error('a word to look for has a character that is none of a word');
  const row = children[node] ?? new Int32Array(CLASSES);
  if (row[symbol] === 0) {
    row[symbol] = children.length;
    children.push(new Int32Array(CLASSES));
    ends.push([]);
  }
  return row[symbol] ?? 0;
}

/** Breadth first: where a word goes on no further, the longest end of it that begins another does. */
function linked({ children, ends }: Trie): Int32Array {
  const next = new Int32Array(children.length * CLASSES);
  const fallback = new Int32Array(children.length);
  const queue = [0];
  for (const node of queue) {
    for (let symbol = 1; symbol < CLASSES; symbol += 1) {
      const target = children[node]?.[symbol] ?? 0;
      const other =
        node === 0 ? 0 : (next[(fallback[node] ?? 0) * CLASSES + symbol] ?? 0) / CLASSES;
      next[node * CLASSES + symbol] = (target === 0 ? other : target) * CLASSES;
      if (target === 0) continue;
      fallback[target] = other;
      ends[target]?.push(...(ends[other] ?? []));
      queue.push(target);
    }
  }
  return next;
}
