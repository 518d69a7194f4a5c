/** Explanations for people, and as data, which is the contract of `--output json` and `yaml`. */

import { errnoNumbers } from '../../abi/kvm/errno.ts';
import { formatWord } from '../../abi/tdx/status.ts';
import type {
  Answer,
  CheckInBook,
  Diagnosis,
  Explanation,
  NotKnown,
  NumberedCheck,
  RefusalExplanation,
  StatusExplanation,
} from '../../diagnosis/explain/index.ts';
// Not by the index: a status word by itself loads no messages (explain/explain.ts).
import { errnoTexts } from '../../diagnosis/explain/read/errno-words.ts';
import { recoveryTexts } from '../../diagnosis/explain/status/classes.ts';
import { operandRows } from '../../diagnosis/explain/status/operands.ts';
import { paint } from './paint.ts';
import { count } from './units.ts';
import { wrap } from './wrap.ts';

export function diagnosisData({ linesRead, place, explanations, notKnown, left }: Diagnosis) {
  return {
    linesRead,
    place: place ?? null,
    explanations: explanations.map((explanation) => ({
      id: explanation.answer.id,
      rank: explanation.answer.rank ?? 'cause',
      ...placeData(explanation),
      statusWord: statusData(explanation.status),
      refusal: refusalData(explanation.refusal),
      printed: printedData(explanation.message),
      bookRow: bookRowData(explanation.check),
      meaning: explanation.answer.meaning,
      causes: explanation.answer.causes ?? [],
      next: explanation.answer.next,
    })),
    notKnown: notKnown.map((unknown) => ({
      ...placeData(unknown),
      statusWord: statusData(unknown.status),
      refusal: refusalData(unknown.refusal),
    })),
    left,
  };
}

function bookRowData(check: CheckInBook | undefined) {
  if (check === undefined) return null;
  const madeBy = check.madeBy.map(({ requests, kernels }) => ({ requests, kernels }));
  return { ...check, madeBy };
}

function placeData({ line, text, count: times }: Explanation | NotKnown) {
  return { line, text, count: times };
}

function printedData(message: Explanation['message']) {
  if (message === undefined) return null;
  const { by, place, source, releases } = message;
  return { by, place: place ?? null, source, releases: releases ?? null };
}

function statusData(status: StatusExplanation | undefined) {
  if (status === undefined) return null;
  const { decoded, leaf, returnedBy } = status;
  const { operand } = decoded;
  return {
    word: formatWord(decoded.word),
    name: decoded.name ?? null,
    source: decoded.source,
    class: { number: decoded.classNumber, name: decoded.className },
    isError: decoded.error,
    nonRecoverable: decoded.nonRecoverable,
    fatal: decoded.fatal,
    hostRecoverable: decoded.hostRecoverable,
    recovery: decoded.recovery,
    operandBits: decoded.details,
    operand:
      operand === undefined
        ? null
        : { number: decoded.details, name: operand, what: operandRows[operand].what },
    msr: decoded.msr ?? null,
    leaf: leaf === undefined ? null : { word: leaf.number ?? null, name: leaf.name ?? null },
    returnedBy,
  };
}

function refusalData(refusal: RefusalExplanation | undefined) {
  if (refusal === undefined) return null;
  return {
    request: refusal.request,
    on: refusal.on ?? null,
    errno: refusal.errno,
    kernel: refusal.kernel === undefined ? null : { id: refusal.kernel },
    checks: refusal.checks.map((check) => ({
      stepNumber: check.step,
      check: check.name ?? null,
      when: check.when,
      remedy: check.remedy ?? null,
      leaves: check.leaves ?? null,
      vmDead: check.vmDead ?? false,
      unreachable: check.unreachable ?? false,
    })),
  };
}

export function diagnosisText(
  diagnosis: Diagnosis,
  { colors, width }: Omit<TextOptions, 'isLog'>,
): string {
  const { linesRead, place, explanations, notKnown, left } = diagnosis;
  const isLog = linesRead > 1;
  const blocks = explanations.map((explanation) =>
    explanationText(explanation, { colors, width, isLog }),
  );
  const unknown = notKnown.map((found) => notKnownText(found, { colors, width, isLog }));
  const head = isLog
    ? [
        `${count(linesRead, 'line')} read${place === 'guest' ? ', of the inside of a TD' : ''}; ` +
          'what follows is in order of weight\n',
      ]
    : [];
  const more = left === 0 ? [] : [`${left} further lines say other things of the same kinds\n`];
  return [...head, ...blocks, ...unknown, ...more].join('\n');
}

interface TextOptions {
  readonly colors: boolean;
  readonly width: number;
  readonly isLog: boolean;
}

function explanationText(explanation: Explanation, options: TextOptions): string {
  const { bold, dim } = paint(options.colors);
  const { answer, refusal, check } = explanation;
  const rank =
    answer.rank === undefined || answer.rank === 'cause' ? '' : dim(`  (${answer.rank})`);
  const rows: readonly Row[] = [
    ...foundRows(explanation, options),
    ...printedRows(explanation),
    ['means', answer.meaning],
    ...checkRows(refusal, answer),
    ...bookRows(check),
    ...causeRows(answer),
    ['next', answer.next],
  ];
  return `${bold(answer.id)}${rank}\n${rowsText(rows, options)}`;
}

/** Says all that can be said of a status or an errno that is in no table. */
export function notKnownText(found: NotKnown, options: TextOptions): string {
  const { bold } = paint(options.colors);
  return `${bold('not known')}\n${rowsText(foundRows(found, options), options)}`;
}

function foundRows(found: Explanation | NotKnown, options: TextOptions): Row[] {
  return [...placeRows(found, options), ...refusalRows(found.refusal), ...statusRows(found.status)];
}

type Row = readonly [label: string, text: string];

const LABEL_WIDTH = 10;
const MAX_SHOWN = 120;

function rowsText(rows: readonly Row[], { colors, width }: TextOptions): string {
  const { dim } = paint(colors);
  return rows
    .flatMap(([label, text]) =>
      wrap(text, width - LABEL_WIDTH - 5).map((line, index) => {
        const head = index === 0 ? dim(label.padEnd(LABEL_WIDTH)) : ' '.repeat(LABEL_WIDTH);
        const hanging = index > 0 && /^\d\. /.test(text) ? '   ' : '';
        return `  ${head}${hanging}${line}\n`;
      }),
    )
    .join('');
}

function placeRows(
  { line, text, count: times }: Explanation | NotKnown,
  { isLog }: TextOptions,
): Row[] {
  if (!isLog) return [];
  const seen = times === 1 ? '' : ` (seen ${times} times)`;
  // The registers that follow a SEAMCALL on one line say nothing that the rows below do not.
  const short = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  return [[`line ${line}`, `${short}${seen}`]];
}

function printedRows({ message }: Explanation): Row[] {
  if (message === undefined) return [];
  const { by, releases, source } = message;
  return [['said by', `${by}${releases === undefined ? '' : ` (${releases})`}: ${source}`]];
}

function refusalRows(refusal: RefusalExplanation | undefined): Row[] {
  if (refusal === undefined) return [];
  const { request, on, errno, kernel } = refusal;
  const known = errno as keyof typeof errnoNumbers;
  const number = errnoNumbers[known];
  return [
    ['asked', on === undefined ? request : `${request}, on ${on}`],
    ['answered', number === undefined ? errno : `${errno} (${number}): ${errnoTexts[known]}`],
    ...(kernel === undefined ? [] : [['kernel', kernel] as const]),
  ];
}

function statusRows(status: StatusExplanation | undefined): Row[] {
  if (status === undefined) return [];
  const { decoded, leaf, returnedBy } = status;
  const number = decoded.classNumber.toString(16).toUpperCase().padStart(2, '0');
  return [
    ['status', `${formatWord(decoded.word)}  ${decoded.name ?? 'a code that is in no table'}`],
    ['class', decoded.source === 'loader' ? decoded.className : `${number}h: ${decoded.className}`],
    ['again', recoveryTexts[decoded.recovery]],
    ...detailRows(status),
    ...(leaf === undefined ? [] : [['leaf', leafText(leaf)] as const]),
    ...(leaf === undefined && returnedBy.length > 0
      ? [['given by', returnedBy.join(', ')] as const]
      : []),
  ];
}

function detailRows({ decoded }: StatusExplanation): Row[] {
  const { operand, msr, details, source } = decoded;
  if (operand !== undefined) {
    return [['operand', `${operand} (${details}): ${operandRows[operand].what}`]];
  }
  if (msr !== undefined && msr !== 0) return [['MSR', `0x${msr.toString(16).toUpperCase()}`]];
  if (details === 0 || source !== 'module') return [];
  return [['details', `${details} (0x${details.toString(16).toUpperCase()})`]];
}

function leafText({ name, number }: NonNullable<StatusExplanation['leaf']>): string {
  const digits = number === undefined ? '' : `0x${number.toString(16)}`;
  if (name === undefined) return `${digits}, which is not known`;
  return digits === '' ? name : `${name} (${digits})`;
}

function checkRows(refusal: RefusalExplanation | undefined, { meaning }: Answer): Row[] {
  const all = refusal?.checks ?? [];
  const reachable = all.filter(({ unreachable }) => unreachable !== true);
  const checks = reachable.length > 0 ? reachable : all;
  return checks.map((check, index) => [index === 0 ? 'when' : '', checkText(check, meaning)]);
}

/** @param said by the answer already, where the check is the answer. */
function checkText(check: NumberedCheck, said: string): string {
  const { name, step, when, leaves, vmDead, unreachable } = check;
  const place = step === 0 ? 'before all' : `step ${step}`;
  const parts = [
    when === said ? place : `${place}: ${when}`,
    ...(name === undefined ? [] : [`(${name})`]),
    ...(unreachable ? ['(cannot be reached)'] : []),
    ...(vmDead ? ['- the VM is dead'] : []),
    ...(leaves === undefined ? [] : [`- ${leaves}`]),
  ];
  return parts.join(' ');
}

/** More requests than these are counted. */
const MAX_REQUESTS = 6;

function bookRows(check: CheckInBook | undefined): Row[] {
  if (check === undefined) return [];
  const { row, madeBy, unreachableIn } = check;
  return [
    ['answers', [row.errno].flat().join(' or ')],
    ...madeBy.map(({ requests, kernels, byEveryKernel }, index): Row => {
      const more = requests.length - MAX_REQUESTS;
      const named = requests.slice(0, MAX_REQUESTS).join(', ');
      const asked = more > 0 ? `${named} and ${more} more` : named;
      const by = byEveryKernel ? 'every kernel' : kernels.join(', ');
      return [index === 0 ? 'made by' : '', `${asked}: ${by}`];
    }),
    ...(unreachableIn.length === 0
      ? []
      : [['', `cannot be reached: ${unreachableIn.join(', ')}`] as const]),
    ...(row.vmDead ? [['leaves', 'the VM is dead'] as const] : []),
    ...(row.leaves === undefined ? [] : [['leaves', row.leaves] as const]),
    ['source', row.source],
  ];
}

function causeRows({ causes = [] }: Answer): Row[] {
  return causes.map((cause, index) => [index === 0 ? 'likely' : '', `${index + 1}. ${cause}`]);
}
