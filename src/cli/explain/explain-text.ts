/** What was typed, or a log: read, explained and printed. */
import { statSync } from 'node:fs';
import { book } from '../../abi/kvm/checks/index.ts';
import {
  type Answer,
  allAnswers,
  type Diagnosis,
  errnoIn,
  explainLog,
  explainTyped,
} from '../../diagnosis/explain/index.ts';
import { nearest } from '../../documents/nearest.ts';
import { readable } from '../../documents/text-file.ts';
import { TdctlError } from '../../errors/index.ts';
import { proseWidth } from '../io.ts';
import { kernelNamed } from '../kernel-named.ts';
import { printData } from '../output/data.ts';
import { notKnownText } from '../output/explanation.ts';
import { sanitize } from '../output/sanitize.ts';
import { columns } from '../output/table.ts';
import { count } from '../output/units.ts';
import { type ExplainOptions, type Printed, printDiagnosis } from './print-diagnosis.ts';
import { withProgress } from './progress.ts';

/** @throws TdctlError as explain() does. */
export async function explainText(options: ExplainOptions): Promise<void> {
  const { io, output, text = '', log } = options;
  const kernel =
    options.kernel === undefined
      ? undefined
      : kernelNamed(options.kernel, { op: 'explain', place: '--kernel' });
  const typed = explainTyped(text, { kernel });
  const read = log === undefined ? logNamed(text, typed) : { chunks: log, name: 'standard input' };
  const diagnosis =
    read === undefined ? typed : await explainLog(withProgress(read.chunks, io), { kernel });
  if (diagnosis.explanations.length === 0) {
    const found = read === undefined && diagnosis.notKnown.length === 0 ? answersAbout(text) : [];
    if (found.length > 0) return await printAnswers(found, { io, output });
    const width = proseWidth(io.widths.stderr);
    throw nothingKnown(diagnosis, { text, logName: read?.name, width });
  }
  await printDiagnosis(diagnosis, { io, output });
}

/** A log that is named by its path. Words that are known are meant as words, whatever files there are. */
function logNamed(text: string, typed: Diagnosis) {
  if (typed.explanations.length > 0 || !isFile(text)) return undefined;
  const kind = { kind: 'log', starter: () => '`dmesg > FILE` writes one' };
  return { chunks: readable(text, kind), name: sanitize(text) };
}

function isFile(path: string): boolean {
  try {
    return !statSync(path).isDirectory();
  } catch {
    return false;
  }
}

interface Asked {
  readonly text: string;
  /** Where a log was read, and no words that were typed. */
  readonly logName: string | undefined;
  readonly width: number;
}

function nothingKnown(
  { linesRead, notKnown }: Diagnosis,
  { text, logName, width }: Asked,
): TdctlError {
  const isLog = logName !== undefined;
  const what = isLog ? emptyLog(linesRead, logName) : `not known: ${sanitize(shortened(text))}`;
  return new TdctlError({
    code: 'TDCTL_E_NOT_FOUND',
    op: 'explain',
    message: notKnown.length === 0 ? what : `${what}; what can be decoded of it follows`,
    details: notKnown.map((found) =>
      notKnownText(found, { colors: false, width: width - 2, isLog }).trimEnd(),
    ),
    hint: isLog ? giveWholeLog : hintFor(text),
  });
}

const giveWholeLog =
  'give it the whole kernel log: `dmesg | tdctl explain`, as root where dmesg is restricted';

function hintFor(text: string): string {
  const errno = errnoIn(text);
  if (errno !== undefined) {
    return `the line does not show what answered ${errno}: name it, as in \`tdctl explain ${errno} KVM_TDX_INIT_VM\``;
  }
  const near = nearest(text, [...allAnswers().map(({ id }) => id), ...Object.keys(book)]);
  if (near !== undefined) return `did you mean \`tdctl explain ${near}\`?`;
  return '`tdctl explain --help` shows what it takes, and there is no file of this name';
}

const mostWords = 4;

/** A few words that are no question of their own are looked for in all that there is to say. */
function answersAbout(text: string): readonly Answer[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word.length > 2);
  if (words.length === 0 || words.length > mostWords) return [];
  return allAnswers().filter(({ id, meaning, causes = [], next }) => {
    const said = [id, meaning, ...causes, next].join(' ').toLowerCase();
    return words.every((word) => said.includes(word));
  });
}

function emptyLog(linesRead: number, name: string): string {
  if (linesRead === 0) return `${name} was empty`;
  return `nothing in ${count(linesRead, 'line')} of ${name} is known to concern TDX`;
}

function shortened(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

export async function listAnswers(printed: Printed): Promise<void> {
  await printAnswers(allAnswers(), printed);
}

async function printAnswers(all: readonly Answer[], { io, output }: Printed): Promise<void> {
  const answers = all.map(({ id, meaning }) => ({ id, meaning }));
  await printData(
    'tdctl.Answers',
    { answers },
    {
      io,
      format: output,
      text: () =>
        columns(
          answers.map(({ id, meaning }) => [id, meaning]),
          '',
        ),
    },
  );
}
