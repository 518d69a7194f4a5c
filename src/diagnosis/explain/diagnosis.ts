/** Collects what the lines of a text say: each thing once, counted, causes first. */

import { formatWord } from '../../abi/tdx/status.ts';
import { sanitize } from '../../errors/sanitize.ts';
import { type Answer, type ExplainOptions, rankOrder } from './answer.ts';
import type { CheckInBook } from './check-in-book.ts';
import { explainWholeLog } from './log-rules.ts';
import { withoutPrefix } from './read/log-prefix.ts';
import { type Finding, recognise } from './read/recognise.ts';
import { recogniseName } from './read/recognise-name.ts';
import type { RefusalExplanation } from './requests/explain-refusal.ts';
import type { StatusExplanation } from './status/explain-status.ts';

/** Where something was said. */
export interface Place {
  /** Of the first line that said it, from 1; undefined for what only the whole log says. */
  readonly line: number | undefined;
  /** The line without its timestamp, harmless to print. */
  readonly text: string | undefined;
  readonly count: number;
}

export interface Explanation extends Place {
  readonly answer: Answer;
  /** The row of the book that was asked for by its name. */
  readonly check: CheckInBook | undefined;
  readonly status: StatusExplanation | undefined;
  readonly refusal: RefusalExplanation | undefined;
}

/** Recognised, and in no table: what can be said of it all the same. */
export interface NotKnown extends Place {
  readonly status: StatusExplanation | undefined;
  readonly refusal: RefusalExplanation | undefined;
}

export interface Diagnosis {
  readonly linesRead: number;
  readonly explanations: readonly Explanation[];
  readonly notKnown: readonly NotKnown[];
  /** Different things beyond those that are kept. */
  readonly left: number;
}

/** More different things than this in one log help nobody. */
const MAX_KEPT = 200;
const MAX_TEXT_CHARS = 240;

/** What a person typed: one line, or a few. */
export function explainTyped(text: string, options: ExplainOptions = {}): Diagnosis {
  const collector = new Collector();
  text.split(/\r\n|\n|\r/).forEach((line, index) => {
    const found = recognise(line, { ...options, typed: true });
    collector.add(index + 1, line, found.length > 0 ? found : recogniseName(line, options));
  });
  return collector.end();
}

/** A log: read once, line by line. */
export async function explainLog(
  lines: AsyncIterable<string>,
  options: ExplainOptions = {},
): Promise<Diagnosis> {
  const collector = new Collector();
  let line = 0;
  for await (const text of lines) {
    line += 1;
    collector.add(line, text, recognise(text, options));
  }
  return collector.end({ wholeLog: true });
}

interface Kept {
  readonly finding: Finding;
  readonly line: number;
  readonly text: string;
  count: number;
}

class Collector {
  readonly #kept = new Map<string, Kept>();
  #linesRead = 0;
  #left = 0;
  #hasBoot = false;

  add(line: number, text: string, findings: readonly Finding[]): void {
    this.#linesRead = line;
    this.#hasBoot ||= text.includes('Linux version ');
    for (const finding of findings) this.#keep(line, text, finding);
  }

  #keep(line: number, text: string, finding: Finding): void {
    const key = keyOf(finding);
    const seen = this.#kept.get(key);
    if (seen) seen.count += 1;
    else if (this.#kept.size >= MAX_KEPT) this.#left += 1;
    else this.#kept.set(key, { finding, line, text: shown(text), count: 1 });
  }

  end({ wholeLog = false } = {}): Diagnosis {
    const explanations: Explanation[] = wholeLog ? this.#ofWholeLog() : [];
    const notKnown: NotKnown[] = [];
    for (const { finding, line, text, count } of this.#kept.values()) {
      const { answer, status, refusal, check } = finding;
      const about = { line, text, count, status, refusal };
      if (answer === undefined) notKnown.push(about);
      else explanations.push({ answer, check, ...about });
    }
    const rank = ({ answer }: Explanation) => rankOrder.indexOf(answer.rank ?? 'cause');
    // The sort is stable: within a rank, the order of the log.
    explanations.sort((a, b) => rank(a) - rank(b));
    return { linesRead: this.#linesRead, explanations, notKnown, left: this.#left };
  }

  #ofWholeLog(): Explanation[] {
    const answers = [...this.#kept.values()].map(({ finding }) => finding.answer);
    const seen = {
      ids: new Set(answers.map((answer) => answer?.id ?? 'not known')),
      hasBoot: this.#hasBoot,
      hasTrouble: answers.some((answer) => answer?.rank !== 'note'),
    };
    return explainWholeLog(seen).map((answer) => ({
      answer,
      line: undefined,
      text: undefined,
      count: 1,
      status: undefined,
      refusal: undefined,
      check: undefined,
    }));
  }
}

/** Two lines say the same when answer, word, leaf and refusal are the same. */
function keyOf({ answer, status, refusal }: Finding): string {
  return [
    answer?.id,
    answer?.meaning,
    status && formatWord(status.decoded.word),
    status?.leaf?.name ?? status?.leaf?.number,
    refusal && `${refusal.request} ${refusal.errno}`,
  ].join('|');
}

function shown(line: string): string {
  const text = withoutPrefix(line);
  return sanitize(text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS)}…` : text);
}
