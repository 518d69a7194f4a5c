/** What a line says, alone or together with those that it was cut from. */
import type { Answer } from '../answer.ts';
import { answerOfCode } from '../messages/codes.ts';
import {
  type FoundMessage,
  messagesAmong,
  messagesIn,
  type Row,
  reachOf,
  rowsOf,
  rowsWithKeyIn,
} from '../messages/find.ts';
import type { Message, Values } from '../messages/message.ts';
import { errnoIn } from '../read/errno-words.ts';
import { type Finding, type RecogniseOptions, recognise } from '../read/recognise.ts';
import { continued, isContinued, isOneRefusal, type JoinedLines, joinedLines } from './joined.ts';
import { type LogLine, readLine } from './layers.ts';
import type { Hit } from './line-reader.ts';

export interface LineFinding extends Finding {
  /** The number of the line that it begins in. */
  readonly line: number;
  readonly text: string;
  readonly kernelSeconds: number | undefined;
  /** Of its message: what the printer put into the words. */
  readonly values?: FoundMessage['values'] | undefined;
}

export function findInLines(hit: Hit, options: RecogniseOptions): readonly LineFinding[] {
  const own = readLine(hit.at(0) ?? '');
  const found = own.texts.length > 1 ? ofTexts(hit, own) : ofJoined(hit, own);
  if (found.some(({ answer }) => answer !== undefined)) return found;
  return [...found, ...free(hit, own, options)];
}

/** Nothing was looked for in what is given by itself. */
export const asTyped: Pick<Hit, 'isTelling' | 'wordsAt'> = {
  isTelling: () => true,
  wordsAt: () => undefined,
};

/** What one line of a log says by itself. */
export function findInLine(text: string): readonly LineFinding[] {
  return findInLines(
    { line: 1, at: (distance) => (distance === 0 ? text : undefined), ...asTyped },
    { typed: false },
  );
}

/** A message that has ends of lines in it is whole. */
function ofTexts(hit: Hit, { texts, kernelSeconds }: LogLine): readonly LineFinding[] {
  return texts.flatMap((text) =>
    messagesIn(text).map((found) => ({ ...said(found), line: hit.line, text, kernelSeconds })),
  );
}

function ofJoined(hit: Hit, own: LogLine): readonly LineFinding[] {
  const candidates = rowsOfLine(hit, own);
  if (candidates.length === 0) return [];
  const joined = joinedLines(hit, own, reachOf(candidates));
  const others = () => rowsAround(hit, joined);
  const where = { from: joined.start, breaks: joined.breaks };
  const findings: LineFinding[] = [];
  for (const found of messagesAmong(candidates, joined.text, { where, others })) {
    if (found.start >= joined.end) continue;
    const { answer, message, values } = said(found);
    findings.push({
      answer,
      message,
      values,
      line: hit.line + joined.distanceAt(found.start),
      text: joined.linesOver(found.start, found.end),
      kernelSeconds: own.kernelSeconds,
    });
  }
  return findings;
}

/** What was found by the first filter need not be looked for again, where the line is as it saw it. */
function rowsOfLine(hit: Hit, own: LogLine): readonly Row[] {
  const words = own.isPlain ? hit.wordsAt(0) : undefined;
  return words === undefined ? rowsWithKeyIn(withEdges(hit, own)) : rowsOf(words);
}

function rowsAround(hit: Hit, { text, linesBefore, linesAfter }: JoinedLines): readonly Row[] {
  const all = new Set<number>();
  for (let distance = -linesBefore; distance <= linesAfter; distance += 1) {
    const words = readLine(hit.at(distance) ?? '').isPlain ? hit.wordsAt(distance) : undefined;
    if (words === undefined) return rowsWithKeyIn(text);
    for (const word of words) all.add(word);
  }
  return rowsOf([...all]);
}

/** As much as a word that was cut may be long. */
const EDGE_CHARS = 64;

/** The line, and the ends of its neighbours that a word may reach over: what else they say is found from them. */
function withEdges(hit: Hit, own: LogLine): string {
  let text = own.texts[0] ?? '';
  for (let [line, distance, chars] = [own, 1, 0]; chars < EDGE_CHARS; distance += 1) {
    const raw = hit.at(-distance);
    const before = readLine(raw ?? '');
    if (raw === undefined || (line.hasPrefix && !before.isPartial)) break;
    const part = before.texts.at(-1) ?? '';
    text = part.slice(-EDGE_CHARS) + text;
    chars += part.length + 1;
    line = before;
  }
  const after = readLine(hit.at(1) ?? '');
  const tail = after.hasPrefix && !own.isPartial ? '' : (after.texts[0] ?? '');
  return text + tail.slice(0, EDGE_CHARS);
}

function said({
  message,
  values,
}: FoundMessage): Pick<LineFinding, 'answer' | 'message' | 'values'> {
  const ofCode = message.codes && answerOfCode(message.codes, values.code);
  return { answer: ofCode ?? answerOf(message, values), message, values };
}

function answerOf({ answer, say }: Message, values: Values): Answer | undefined {
  return answer === undefined || say === undefined ? answer : { ...answer, ...say(values) };
}

/** The status word and the request in it, whoever wrote it and however. */
function free(hit: Hit, own: LogLine, options: RecogniseOptions): readonly LineFinding[] {
  const { kernelSeconds } = own;
  const [ownText = ''] = own.texts;
  const isToldLater = [1, 2, 3, 4, 5].some((distance) => hit.isTelling(distance));
  if (!hit.isTelling(0) && !(isToldLater && isContinued(hit, own))) return [];
  const alone = own.texts.map((text) => ({ text, findings: recognise(text, options) }));
  const parts = continued(hit, own);
  const isRefusal = isOneRefusal(parts, (text) => errnoIn(text) !== undefined);
  // As it may have been: with a space at each cut, and without.
  const whole = parts.length === 1 ? [] : [parts.join(' '), parts.join('')];
  const joined = whole.map((text) => {
    // What stands in the lines behind alone is theirs.
    const theirs = new Set(recognise(text.slice(ownText.length), options).map(nameOf));
    const findings = recognise(text, options).filter(
      (finding) => !theirs.has(nameOf(finding)) && (isRefusal || finding.refusal === undefined),
    );
    return { text, findings };
  });
  const isWhole = alone.some(({ findings }) => findings.some(({ refusal }) => refusal));
  const [first] = (isWhole ? alone : [...joined, ...alone]).filter(
    ({ findings }) => findings.length > 0,
  );
  if (first === undefined) return [];
  const { text, findings } = first;
  return findings.map((finding) => ({ ...finding, line: hit.line, text, kernelSeconds }));
}

function nameOf({ answer, status, refusal }: Finding): string {
  return [answer?.id, status?.decoded.word, refusal?.request, refusal?.errno].join(' ');
}
