/** Codes that messages print: many of one kind, each with its own answer. */
import type { Answer } from '../answer.ts';

/** A code by its number; its names are those of the header that defines it. */
export interface Code {
  readonly code: number;
  readonly names: readonly string[];
  readonly answer: Answer;
}

/** The codes that a message prints as `{code}`. */
export interface CodeTable {
  /** As docs/messages.md calls it. */
  readonly title: string;
  /** How the message prints them: `0xe047`, or `57415`. */
  readonly base: 10 | 16;
  readonly codes: readonly Code[];
}

/** The same codes, printed in decimal. */
export function inDecimal(table: CodeTable): CodeTable {
  return { ...table, base: 10 };
}

/** undefined: the message prints no code, or one that is in no table. */
export function answerOfCode(
  tables: readonly CodeTable[],
  code: string | undefined,
): Answer | undefined {
  const digits = (code ?? '').replace(/^0x/i, '');
  const found = tables.flatMap(({ base, codes }) =>
    codes.filter((each) => each.code === Number.parseInt(digits, base)),
  );
  return found[0]?.answer;
}

/** Below it, numbers are codes of everything, and say nothing alone. */
const FIRST_TELLING = 0x1000;

/** A code that somebody typed alone: `0xb033`. */
export function answerOfLoneCode(tables: readonly CodeTable[], text: string): Answer | undefined {
  const digits = /^0x([0-9a-f]{4,5})$/i.exec(text.trim())?.[1];
  if (digits === undefined || Number.parseInt(digits, 16) < FIRST_TELLING) return undefined;
  return answerOfCode(
    tables.filter(({ base }) => base === 16),
    digits,
  );
}

interface RowOfNames {
  readonly says: readonly string[];
  readonly answer: Answer;
}

/** A row for each code with its names, which programs print in place of the number. */
export function namesOf({ codes }: CodeTable): readonly RowOfNames[] {
  return codes.map(({ names, answer }) => ({ says: names, answer }));
}
