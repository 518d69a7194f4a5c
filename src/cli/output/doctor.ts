import type { CheckResult, Diagnosis, Status } from '../../diagnosis/doctor/index.ts';
import { paint, type paint as painter } from './paint.ts';
import { sanitize } from './sanitize.ts';
import { count } from './units.ts';
import { wrap } from './wrap.ts';

type Paint = ReturnType<typeof painter>;

export interface DiagnosisTextOptions {
  /** A copy, or a shared host; undefined: this machine. */
  readonly root: string | undefined;
  readonly isShared: boolean;
  readonly all: boolean;
  readonly colors: boolean;
  readonly width: number;
}

const marks: Readonly<Record<Status, string>> = {
  pass: 'ok  ',
  warn: 'WARN',
  fail: 'FAIL',
  unknown: '?   ',
  skipped: '-   ',
};

export function diagnosisText(diagnosis: Diagnosis, options: DiagnosisTextOptions): string {
  const colors = paint(options.colors);
  const shown = diagnosis.checks.filter(({ status }) => options.all || status !== 'skipped');
  const idWidth = Math.max(...shown.map(({ id }) => id.length));
  const groups = [...new Set(shown.map(({ group }) => group))];
  const blocks = groups.map((group) => {
    const lines = shown
      .filter((check) => check.group === group)
      .flatMap((check) =>
        checkLines(check, { idWidth, all: options.all, colors, width: options.width }),
      );
    return `${colors.bold(group)}\n${lines.join('\n')}\n`;
  });
  return [`${aboutText(options)}\n`, ...blocks, summary(diagnosis, options, colors)].join('\n');
}

function aboutText({ root, isShared }: DiagnosisTextOptions): string {
  if (root === undefined) return 'This machine';
  return isShared
    ? `The shared host ${sanitize(root)}`
    : `The host that ${sanitize(root)} is a copy of`;
}

function checkLines(
  { id, title, status, evidence, fix }: CheckResult,
  { idWidth, all, colors, width }: { idWidth: number; all: boolean; colors: Paint; width: number },
): string[] {
  const color = colorOf(status, colors);
  const indent = ' '.repeat(2 + 4 + 2);
  const beside = indent + ' '.repeat(idWidth + 2);
  // On a narrow terminal the evidence stands below the id.
  const isBeside = width - beside.length >= 24;
  const column = isBeside ? beside : indent;
  const lines = wrap(sanitize(evidence), width - column.length);
  const [first = '', ...more] = isBeside ? lines : ['', ...lines];
  const quiet = status === 'pass' || status === 'skipped' ? colors.dim : (text: string) => text;
  return [
    `  ${color(marks[status])}  ${id.padEnd(idWidth)}  ${quiet(first)}`.trimEnd(),
    ...more.map((text) => `${column}${quiet(text)}`),
    ...(all ? wrap(title, width - indent.length).map((text) => indent + colors.dim(text)) : []),
    ...(fix === null || status === 'unknown'
      ? []
      : fixLines(sanitize(fix), { indent, colors, width })),
  ];
}

function fixLines(
  fix: string,
  { indent, colors, width }: { indent: string; colors: Paint; width: number },
): string[] {
  const [first = '', ...more] = wrap(fix, width - indent.length - 5);
  return [
    `${indent}${colors.cyan('fix:')} ${first}`,
    ...more.map((text) => `${indent}     ${text}`),
  ];
}

function colorOf(status: Status, colors: Paint): (text: string) => string {
  if (status === 'pass') return colors.green;
  if (status === 'fail') return (text) => colors.bold(colors.red(text));
  return status === 'skipped' ? colors.dim : colors.yellow;
}

function summary(diagnosis: Diagnosis, options: DiagnosisTextOptions, colors: Paint): string {
  const { counts, checks } = diagnosis;
  const skipped = checks.filter(({ status }) => status === 'skipped');
  const parts = [
    `${counts.pass} ok`,
    count(counts.warn, 'warning'),
    `${counts.fail} failed`,
    `${counts.unknown} not known`,
    `${counts.skipped} skipped`,
  ];
  const lines = [`${count(checks.length, 'check')}: ${parts.join(', ')}.`];
  if (skipped.length > 0 && !options.all) {
    const causes = [...new Set(skipped.map(({ evidence }) => evidence.replace('needs ', '')))];
    lines.push(`Skipped is what needs ${causes.join(', ')}; --all lists it.`);
  }
  return [
    ...lines.flatMap((line) => wrap(line, options.width)).map(colors.dim),
    ...(options.root === undefined ? howToLearnMore(checks, options.width) : []),
    '',
    ...conclusion(diagnosis, options.root, colors),
    '',
  ].join('\n');
}

/** Where several checks lack the same thing, it is said once. */
function howToLearnMore(checks: readonly CheckResult[], width: number): string[] {
  const ways = checks.flatMap(({ status, fix }) => (status === 'unknown' && fix ? [fix] : []));
  if (ways.length === 0) return [];
  return [
    '',
    'To know the rest:',
    ...[...new Set(ways)].flatMap((way) =>
      wrap(sanitize(way), width - 4).map((line, index) => `  ${index === 0 ? '-' : ' '} ${line}`),
    ),
  ];
}

function conclusion(
  { conclusion: outcome, firstCause, counts, checks }: Diagnosis,
  root: string | undefined,
  colors: Paint,
): string[] {
  const here = root === undefined ? 'this machine' : 'this host';
  if (outcome === 'ready') {
    const rest = counts.warn > 0 ? `, with ${count(counts.warn, 'warning')}` : '';
    return [colors.bold(colors.green(`TDs can run on ${here}${rest}.`))];
  }
  if (outcome === 'cannot-tell') {
    const how = root === undefined ? 'run it with sudo' : 'the copy lacks what would show it';
    return [colors.bold(`Whether TDs can run on ${here} could not be told: ${how}.`)];
  }
  // The soft host needs guest_memfd of KVM; the simulated one needs nothing.
  const hasKvm = checks.some(({ id, status }) => id === 'memory.guest-memfd' && status === 'pass');
  const rehearsal = `tdctl run td.yaml --host ${hasKvm ? 'soft' : 'sim'} --until runnable`;
  const rehearse = root === undefined ? [`To rehearse here:   ${rehearsal}`] : [];
  return [
    colors.bold(colors.red(`TDs cannot run on ${here}. Fix first: ${firstCause}`)),
    `More about it:      tdctl doctor --explain ${firstCause}`,
    ...rehearse,
  ];
}
