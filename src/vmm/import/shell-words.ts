/** A command as somebody wrote it down, in words: quotes, backslashes and comments as a POSIX shell has them. */

export interface ShellWords {
  readonly words: readonly string[];
  /** What only a shell knows: variables, substitutions, redirections. */
  readonly unknown: readonly string[];
}

/** The command ends at the first `;`, `|` or `&` that is not quoted, or at the end of its line. */
export function shellWords(text: string): ShellWords {
  const words: string[] = [];
  const unknown: string[] = [];
  let word: string | undefined;
  const push = () => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    const next = text[at + 1];
    if (char === '\\') {
      at += 1;
      if (next !== '\n' && next !== undefined) word = (word ?? '') + next;
    } else if (char === "'") {
      const end = endOf(text, at, "'");
      word = (word ?? '') + text.slice(at + 1, end);
      at = end;
    } else if (char === '"') {
      const end = endOf(text, at, '"');
      const inside = text.slice(at + 1, end);
      if (/(?<!\\)[$`]/.test(inside)) unknown.push(inside);
      word =
        (word ?? '') + inside.replace(/\\(["\\$`\n])/g, (_, it: string) => (it === '\n' ? '' : it));
      at = end;
    } else if (/\s/.test(char)) {
      push();
      if (char === '\n' && words.length > 0) return { words, unknown };
    } else if (char === '#' && word === undefined) {
      while (at + 1 < text.length && text[at + 1] !== '\n') at += 1;
    } else if (/[;|&]/.test(char)) {
      break;
    } else {
      if (/[$`<>]/.test(char)) unknown.push(text.slice(at).split(/\s/)[0] ?? char);
      word = (word ?? '') + char;
    }
  }
  push();
  return { words, unknown };
}

function endOf(text: string, from: number, quote: string): number {
  for (let at = from + 1; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at += 1;
    else if (text[at] === quote) return at;
  }
  return text.length;
}
