/** Findings about a trace, printed for people as compilers print theirs. */
import {
  type LintFinding,
  type LintReport,
  type Severity,
  severities,
} from '../../trace/lint/index.ts';
import { paint } from './paint.ts';
import { sanitize } from './sanitize.ts';
import { count } from './units.ts';
import { wrap } from './wrap.ts';

const indent = '    ';

interface LintTextOptions {
  readonly colors: boolean;
  readonly width: number;
}

export function lintText(file: string, report: LintReport, options: LintTextOptions): string {
  const shown = report.findings.map((finding) => findingText(file, finding, options));
  return [...shown, summary(report)].join('\n');
}

function findingText(
  file: string,
  finding: LintFinding,
  { colors, width }: LintTextOptions,
): string {
  const { bold, dim, cyan } = paint(colors);
  const {
    id,
    severity,
    line,
    call,
    problem,
    kernel,
    source,
    remedy,
    inferred,
    count: times,
  } = finding;
  const often = times === 1 ? '' : ` (${times} times)`;
  const place = bold(`${sanitize(file)}:${line}:`);
  const subject = call === undefined ? '' : `${sanitize(call)}: `;
  return [
    `${place} ${severityText(severity, colors)}: ${subject}${sanitize(problem)}${often} ${dim(`[${id}]`)}`,
    ...part('', kernel, width),
    ...part('in ', source, width),
    ...part(
      '',
      inferred && `strace does not say which command this is; what speaks for it: ${inferred}`,
      width,
    ),
    ...part(`${cyan('fix:')} `, remedy, width),
    '',
  ].join('\n');
}

function part(label: string, text: string | undefined, width: number): string[] {
  if (text === undefined) return [];
  const room = ' '.repeat(label.includes('fix') ? 'fix: '.length : 0);
  return wrap(sanitize(text), width - indent.length - room.length).map(
    (line, at) => `${indent}${at === 0 ? label : room}${line}`,
  );
}

function severityText(severity: Severity, colors: boolean): string {
  const { red, yellow, cyan } = paint(colors);
  return { error: red, warning: yellow, note: cyan }[severity](severity);
}

function summary(report: LintReport): string {
  const { calls, replayed, tds, host, kernel, findings, further, otherLines } = report;
  const counts = severities.map((severity) =>
    count(findings.filter((finding) => finding.severity === severity).length, severity),
  );
  const hidden = further.error + further.warning + further.note;
  const others = otherLines === 0 ? '' : `; ${count(otherLines, 'line')} about other things`;
  return [
    `${count(calls, 'call')} of KVM, ${count(tds, 'TD')}, ${count(replayed, 'call')} asked again of ` +
      `${kernel} on ${host}${others}`,
    `${counts.join(', ')}${hidden === 0 ? '' : `; ${hidden} more of many kinds are not listed`}`,
    '',
  ].join('\n');
}
