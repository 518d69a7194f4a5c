/** What a line says, alone or together with those that it was cut from. */
import type { Answer } from '../answer.ts';
import { answerOfCode } from '../messages/codes.ts';
import { type FoundMessage, messagesIn } from '../messages/find.ts';
import { type Finding, type RecogniseOptions, recognise } from '../read/recognise.ts';
import { continued, joinedLines } from './joined.ts';
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

/** A message that has ends of lines in it is whole. */
function ofTexts(hit: Hit, { texts, kernelSeconds }: LogLine): readonly LineFinding[] {
  return texts.flatMap((text) =>
    messagesIn(text).map((found) => ({ ...said(found), line: hit.line, text, kernelSeconds })),
  );
}

function ofJoined(hit: Hit, own: LogLine): readonly LineFinding[] {
  const joined = joinedLines(hit, own);
  return messagesIn(joined.text, { from: joined.start, breaks: joined.breaks })
    .filter(({ start }) => start < joined.end)
    .map((found) => ({
      ...said(found),
      line: hit.line + joined.distanceAt(found.start),
      text: joined.linesOver(found.start, found.end),
      kernelSeconds: own.kernelSeconds,
    }));
}

function said({
  message,
  values,
}: FoundMessage): Pick<LineFinding, 'answer' | 'message' | 'values'> {
  const ofCode = message.codes && answerOfCode(message.codes, values.code);
  const answer: Answer | undefined =
    ofCode ?? (message.answer && { ...message.answer, ...message.say?.(values) });
  return { answer, message, values };
}

/** The status word and the request in it, whoever wrote it and however. */
function free(hit: Hit, own: LogLine, options: RecogniseOptions): readonly LineFinding[] {
  const { kernelSeconds } = own;
  const [ownText = ''] = own.texts;
  const alone = own.texts.map((text) => ({ text, findings: recognise(text, options) }));
  const joined = continued(hit, own).map((text) => {
    // What stands in the lines behind alone is theirs.
    const theirs = new Set(recognise(text.slice(ownText.length), options).map(nameOf));
    const findings = recognise(text, options).filter((finding) => !theirs.has(nameOf(finding)));
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
