/** JUnit XML, which every CI reads. */
import { escapeXml } from './xml.ts';

export interface JunitSuite {
  readonly name: string;
  /** How long all of it took; cases may overlap. */
  readonly ms: number;
  readonly cases: readonly JunitCase[];
}

export interface JunitCase {
  readonly group: string;
  readonly name: string;
  readonly ms: number;
  /** What failed, in lines. */
  readonly failure?: string | undefined;
  /** Why it says nothing; an empty text where there is no more to say. */
  readonly skipped?: string | undefined;
}

export function junitText(name: string, suites: readonly JunitSuite[]): string {
  const all = {
    cases: suites.flatMap(({ cases }) => cases),
    ms: suites.reduce((sum, { ms }) => sum + ms, 0),
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escapeXml(name)}" ${totals(all)}>`,
    ...suites.flatMap((suite) => [
      `<testsuite name="${escapeXml(suite.name)}" ${totals(suite)}>`,
      ...suite.cases.map(caseXml),
      '</testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

function totals({ cases, ms }: Pick<JunitSuite, 'cases' | 'ms'>): string {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const skipped = cases.filter((each) => each.failure === undefined && each.skipped !== undefined);
  return `tests="${cases.length}" failures="${failures}" skipped="${skipped.length}" time="${seconds(ms)}"`;
}

/** Rounded to microseconds. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(6);
}

function caseXml({ group, name, ms, failure, skipped }: JunitCase): string {
  const head = `<testcase classname="${escapeXml(group)}" name="${escapeXml(name)}" time="${seconds(ms)}"`;
  if (failure !== undefined) {
    const [first = ''] = failure.split('\n');
    return `${head}><failure message="${escapeXml(first)}">${escapeXml(failure)}</failure></testcase>`;
  }
  if (skipped === undefined) return `${head}/>`;
  const message = skipped === '' ? '' : ` message="${escapeXml(skipped)}"`;
  return `${head}><skipped${message}/></testcase>`;
}
