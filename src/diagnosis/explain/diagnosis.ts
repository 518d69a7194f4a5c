/** Collects what the lines of a text say: each thing once, counted, causes first. */

import { formatWord } from '../../abi/tdx/status.ts';
import { sanitize } from '../../errors/sanitize.ts';
import type { Answer, ExplainOptions } from './answer.ts';
import type { CheckInBook } from './check-in-book.ts';
import { Boot } from './log/boots.ts';
import { asUtf8 } from './log/encoding.ts';
import { asTyped, findInLines, type LineFinding } from './log/find-in-lines.ts';
import { type Hit, LineReader } from './log/line-reader.ts';
import { explainBoot } from './log-rules.ts';
import { wordsOfInterest } from './messages/find.ts';
import type { Message, Place } from './messages/message.ts';
import { inOrderOfWeight } from './order.ts';
import { recogniseName } from './read/recognise-name.ts';
import type { RefusalExplanation } from './requests/explain-refusal.ts';
import type { StatusExplanation } from './status/explain-status.ts';

/** Where something was said. */
export interface Said {
  /** Of the first line that said it, from 1. */
  readonly line: number;
  /** The line without its timestamp, harmless to print. */
  readonly text: string;
  readonly count: number;
}

export interface Explanation extends Said {
  readonly answer: Answer;
  /** The row of the book that was asked for by its name. */
  readonly check: CheckInBook | undefined;
  readonly status: StatusExplanation | undefined;
  readonly refusal: RefusalExplanation | undefined;
  /** The message that says it; undefined for a status word or a refusal, and for what several lines say. */
  readonly message: Message | undefined;
}

/** Recognised, and in no table: what can be said of it all the same. */
export interface NotKnown extends Said {
  readonly status: StatusExplanation | undefined;
  readonly refusal: RefusalExplanation | undefined;
}

export interface Diagnosis {
  readonly linesRead: number;
  /** `guest` where a line shows that the log is of the inside of a TD. */
  readonly place: Place | undefined;
  readonly explanations: readonly Explanation[];
  readonly notKnown: readonly NotKnown[];
  /** Different things beyond those that are kept. */
  readonly left: number;
}

/** More different things than this in one log help nobody. */
const MAX_KEPT = 200;
const MAX_TEXT_CHARS = 240;
/** In lines. The kernel of a TD prints "tdx: Guest detected" right before its own first line. */
const NEAR = 3;

/** What a person typed: one line, or a few. It is read as a log is, and names may stand alone in it. */
export function explainTyped(text: string, options: ExplainOptions = {}): Diagnosis {
  const collector = new Collector();
  const lines = text.split(/\r\n|\n|\r/);
  for (const index of lines.keys()) {
    const hit = {
      line: index + 1,
      at: (distance: number) => lines[index + distance],
      ...asTyped,
    };
    const found = findInLines(hit, { ...options, typed: true });
    collector.add(found.length > 0 ? found : named(hit, options));
  }
  return collector.end(lines.length, { isLog: lines.length > 1 });
}

function named(hit: Hit, options: ExplainOptions): readonly LineFinding[] {
  const text = hit.at(0) ?? '';
  return recogniseName(text, options).map((finding) => ({
    ...finding,
    line: hit.line,
    text,
    kernelSeconds: undefined,
  }));
}

/** A log: read once, in memory that does not grow with it. */
export async function explainLog(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ExplainOptions = {},
): Promise<Diagnosis> {
  const collector = new Collector();
  const reader = new LineReader(wordsOfInterest(), (hit) =>
    collector.add(findInLines(hit, { ...options, typed: false })),
  );
  for await (const chunk of asUtf8(chunks)) reader.push(chunk);
  reader.end();
  return collector.end(reader.linesRead, { isLog: true });
}

interface Kept {
  readonly finding: LineFinding;
  readonly boot: Boot;
  count: number;
}

class Collector {
  readonly #kept = new Map<string, Kept>();
  readonly #boots: Boot[] = [new Boot()];
  /** A message over two lines is found from both. */
  readonly #lastSeen = new Map<Message, number>();
  #inTdAt = -NEAR - 1;
  #left = 0;

  add(findings: readonly LineFinding[]): void {
    for (const finding of findings) {
      if (!this.#isSeen(finding)) this.#keep(finding);
    }
  }

  #isSeen({ message, line }: LineFinding): boolean {
    if (message === undefined) return false;
    const isSeen = this.#lastSeen.get(message) === line;
    this.#lastSeen.set(message, line);
    return isSeen;
  }

  #keep(finding: LineFinding): void {
    const { message, values, kernelSeconds, line } = finding;
    if (message?.mark === 'boot') {
      this.#boots.push(new Boot(values?.release, kernelSeconds));
      if (line - this.#inTdAt <= NEAR) this.#boots.at(-1)?.marks.add('in-td');
    }
    const boot = this.#boots.at(-1) ?? new Boot();
    if (message?.mark !== undefined) boot.marks.add(message.mark);
    if (message?.mark === 'in-td') this.#inTdAt = line;
    const key = `${this.#boots.length}|${keyOf(finding)}`;
    const seen = this.#kept.get(key);
    if (seen) seen.count += 1;
    else if (this.#kept.size >= MAX_KEPT) this.#left += 1;
    else this.#kept.set(key, { finding, boot, count: 1 });
  }

  end(linesRead: number, { isLog }: { readonly isLog: boolean }): Diagnosis {
    const kept = [...this.#kept.values()];
    const ofLog = isLog ? this.#boots.flatMap((boot) => saidByBoot(boot, kept)) : [];
    const ofLines = kept.map((one) => ({ ...aboutKept(one), answer: answerOf(one) }));
    return {
      linesRead,
      place: this.#boots.find(({ place }) => place !== undefined)?.place,
      explanations: inOrderOfWeight([...ofLog, ...ofLines.filter(isAnswered)]),
      notKnown: ofLines.filter(
        ({ answer, status, refusal }) => answer === undefined && (status ?? refusal) !== undefined,
      ),
      left: this.#left,
    };
  }
}

function saidByBoot(boot: Boot, ofLog: readonly Kept[]): readonly Explanation[] {
  const ofBoot = ofLog.filter((one) => one.boot === boot);
  const seen = {
    boot,
    ids: new Set(ofBoot.map(idOf)),
    idsOfLog: new Set(ofLog.map(idOf)),
    saysAnything: ofBoot.some((one) => one.finding.answer !== undefined),
    hasTrouble: ofBoot.some(isTrouble),
  };
  return explainBoot(seen).flatMap(({ answer, restsOn }) => {
    const basis = ofBoot.find((one) => idOf(one) === restsOn);
    return basis === undefined
      ? []
      : [{ ...aboutKept(basis), count: 1, answer, message: undefined }];
  });
}

function aboutKept({ finding, count }: Kept): Omit<Explanation, 'answer'> {
  const { line, text, status, refusal, check, message } = finding;
  return { line, text: shown(text), count, status, refusal, check, message };
}

/** The same words mean something else inside a TD. */
function answerOf({ finding, boot }: Kept): Answer | undefined {
  return (boot.place === 'guest' ? finding.message?.inGuest : undefined) ?? finding.answer;
}

function isAnswered<About extends { readonly answer: Answer | undefined }>(
  about: About,
): about is About & { readonly answer: Answer } {
  return about.answer !== undefined;
}

/** As log rules call it. */
function idOf({ finding: { answer, message } }: Kept): string {
  return answer?.id ?? message?.name ?? message?.mark ?? 'not known';
}

function isTrouble(one: Kept): boolean {
  const answer = answerOf(one);
  if (answer === undefined) return (one.finding.status ?? one.finding.refusal) !== undefined;
  return answer.rank !== 'note' && answer.rank !== 'healthy';
}

/** Two lines say the same when answer, word, leaf and refusal are the same. */
function keyOf({ answer, message, status, refusal }: LineFinding): string {
  const id = answer?.id ?? message?.name ?? message?.mark ?? message?.inGuest?.id;
  const said = `${id}|${answer?.meaning}`;
  if (status === undefined && refusal === undefined) return said;
  const word = status && formatWord(status.decoded.word);
  const leaf = status?.leaf?.name ?? status?.leaf?.number;
  return `${said}|${word}|${leaf}|${refusal?.request}|${refusal?.errno}`;
}

function shown(text: string): string {
  return sanitize(text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS)}…` : text);
}
