/** The module serves `tdctl trace lint`. */
export { type LintFinding, type Severity, severities } from './finding.ts';
export { type LintReport, lintTrace } from './lint.ts';
export type { TraceLines } from './read/lines.ts';
export { type OpenedTrace, openTrace } from './read/read-trace.ts';
export { lintRules } from './rules/index.ts';
export type { TracedTrace } from './traced.ts';
