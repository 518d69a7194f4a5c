/** What came of each kernel, in every format. docs/rehearsal.md is the contract of the data. */
import { type JunitSuite, junitText } from '../../../documents/junit.ts';
import { errorData, exitCodes } from '../../../errors/index.ts';
import { cameTo, findingsIn, junitSuite, type RehearsalReport } from '../../../rehearsal/index.ts';
import type { CommandIo } from '../../io.ts';
import { dataText, documentOf } from '../../output/data.ts';
import { print } from '../../output/print.ts';
import { sanitize } from '../../output/sanitize.ts';
import { columns } from '../../output/table.ts';
import { count, formatDuration } from '../../output/units.ts';
import type { RehearsalFormat } from '../formats.ts';
import { reportData } from '../print-report.ts';
import { type Matrix, type MatrixRow, worstOf } from './matrix.ts';

export async function printMatrix(
  matrix: Matrix,
  { format, io }: { readonly format: RehearsalFormat; readonly io: CommandIo },
): Promise<void> {
  const text = await textIn(format, matrix);
  if (format === 'text') print(io, text);
  else io.stdout.write(text);
}

async function textIn(format: RehearsalFormat, matrix: Matrix): Promise<string> {
  switch (format) {
    case 'json':
    case 'yaml':
      return dataText(matrixData(matrix), format);
    case 'junit':
      return junitText(
        matrix.name,
        matrix.rows.map((row) => suiteOf(matrix, row)),
      );
    case 'markdown':
      return matrixPage(matrix);
    case 'text':
      return matrixText(matrix);
  }
}

function matrixData({ name, host, rows }: Matrix) {
  return documentOf('tdctl.RehearsalMatrix', {
    name,
    host: { name: host, simulated: true },
    exitCode: worstOf(rows)?.exitCode ?? exitCodes.ok,
    kernels: rows.map(({ kernel, exitCode, error, report }) => ({
      kernel: { id: kernel },
      exitCode,
      error: error === undefined ? null : errorData(error),
      rehearsal: report === undefined ? null : documentOf('tdctl.Rehearsal', reportData(report)),
    })),
  });
}

/** They are the same machine's under every kernel. */
function clockOf(rows: readonly MatrixRow[]): 'simulated' | 'real' {
  return rows.find(({ report }) => report !== undefined)?.report?.run.clock ?? 'simulated';
}

/** A kernel under which nothing could be played has one case, which says why. */
function suiteOf({ name }: Matrix, row: MatrixRow): JunitSuite {
  if (row.report !== undefined) return junitSuite(row.report);
  const suite = { name: `${name} (${row.kernel})`, ms: 0 };
  const failure = row.error === undefined ? undefined : wordsOf(row).join('\n');
  const played = { group: 'operations', name: 'it is played', ms: 0 };
  return {
    ...suite,
    cases: [failure === undefined ? { ...played, skipped: 'interrupted' } : { ...played, failure }],
  };
}

const headings = [
  'kernel',
  'comes to',
  'operations',
  'peak slots',
  'lost',
  'longest blackout',
  'took',
];

function tableOf({ rows }: Matrix): string[][] {
  const withFaults = rows.some(({ report }) => report?.sweep !== undefined);
  return [
    withFaults ? [...headings, 'faults'] : headings,
    ...rows.map((row) => {
      const cells = cellsOf(row);
      return withFaults ? [...cells, faultsIn(row.report)] : cells;
    }),
  ];
}

function cellsOf({ kernel, exitCode, report }: MatrixRow): string[] {
  const word = ends[exitCode] ?? `exit ${exitCode}`;
  if (report === undefined) return [kernel, word, '', '', '', '', ''];
  const { run } = report;
  const came = new Map<string, number>();
  for (const result of run.results) came.set(cameTo(result), (came.get(cameTo(result)) ?? 0) + 1);
  const longest = Math.max(0, ...run.blackouts.map(({ ms }) => ms));
  return [
    kernel,
    word,
    [...came].map(([each, number]) => `${number} ${each}`).join(', '),
    String(run.slots.peak),
    run.losses.map(({ what, count: number }) => count(number, what)).join(', ') || 'nothing',
    run.blackouts.length === 0 ? 'none' : formatDuration(longest),
    formatDuration(run.elapsedMs),
  ];
}

const ends: Readonly<Record<number, string>> = {
  [exitCodes.ok]: 'as asked',
  [exitCodes.findings]: 'not as asked',
  [exitCodes.failed]: 'broken',
  [exitCodes.limitReached]: 'a limit is reached',
  [exitCodes.hostUnsupported]: 'not supported',
  [exitCodes.interrupted]: 'interrupted',
};

function faultsIn(report: RehearsalReport | undefined): string {
  const { sweep } = report ?? {};
  if (sweep === undefined) return '';
  return `${sweep.standsFor} of ${sweep.cases}, ${count(sweep.violationCount, 'violation')}`;
}

/** So many lines are printed of a kernel; the data has the rest. */
const mostLines = 20;

/** Why a kernel did not come out as asked, or what there is to note of it. */
function wordsOf({ error, report }: MatrixRow): string[] {
  if (error !== undefined) return [error.message, ...error.details];
  const notes = report === undefined ? [] : findingsIn(report);
  return notes.map((note) => `note: ${note}`);
}

function shortened(lines: readonly string[]): string[] {
  if (lines.length <= mostLines) return [...lines];
  return [...lines.slice(0, mostLines), `… and ${lines.length - mostLines} more (-o json has all)`];
}

function matrixText(matrix: Matrix): string {
  const { name, host, rows } = matrix;
  const reasons = rows.flatMap((row) => {
    const lines = shortened(wordsOf(row));
    if (lines.length === 0) return [];
    return [`\n${row.kernel}\n`, ...lines.map((line) => `  ${sanitize(line)}\n`)];
  });
  const title = `Rehearsal of ${sanitize(name)} on ${host} under ${count(rows.length, 'kernel')}\n\n`;
  return [title, columns(tableOf(matrix)), ...reasons].join('');
}

function matrixPage(matrix: Matrix): string {
  const { name, host, rows } = matrix;
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => sanitize(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  const [head = [], ...table] = tableOf(matrix);
  const reasons = rows.flatMap((row) => {
    const lines = shortened(wordsOf(row));
    if (lines.length === 0) return [];
    return ['', `## ${row.kernel}`, '', ...lines.map((each) => `- ${sanitize(each)}`)];
  });
  return [
    `# Rehearsal of ${sanitize(name)}`,
    '',
    `On ${host}, under ${count(rows.length, 'kernel')}. Times are ${clockOf(rows)}.`,
    '',
    line(head),
    line(head.map(() => '---')),
    ...table.map(line),
    ...reasons,
    '',
  ].join('\n');
}
