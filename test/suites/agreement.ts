/**
 * What of a suite agrees, and the list of it in the repository (`lists/`), which may only grow: what it
 * says agrees has to, at every run. Its other cases stand there with the reason.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AgreementList, readList, type Suite, writeList } from './lists.ts';
import { isFull, suitesFolder } from './run.ts';
import { writeTable } from './table.ts';

export interface Case {
  readonly name: string;
  readonly agrees: boolean;
  /** What happened, in words; natively where that could be seen. */
  readonly natively?: string;
  readonly underExec: string;
  /** Why it does not agree, where that is known without looking. */
  readonly because?: string;
}

const notLookedInto = 'not looked into yet';

/**
 * Throws where a case that agrees by the list does not, or was run and told nothing. Says which others do,
 * and what does not agree and is not on the list; `npm run suites -- --accept` enters both.
 */
export function judge(
  suite: Suite,
  cases: readonly Case[],
  { wasRun = () => isFull }: { readonly wasRun?: (name: string) => boolean } = {},
): void {
  const list = readList(suite);
  const listed = new Set(list.agrees);
  const told = new Set(cases.map(({ name }) => name));
  const silent = list.agrees.filter((name) => wasRun(name) && !told.has(name));
  const lost = [
    ...cases.filter(({ name, agrees }) => !agrees && listed.has(name)),
    ...silent.map((name) => ({ name, agrees: false, underExec: 'told nothing' })),
  ];
  const grown = cases.filter(({ name, agrees }) => agrees && !listed.has(name));
  const unknown = cases.filter(
    ({ name, agrees }) => !agrees && !listed.has(name) && list.otherwise[name] === undefined,
  );
  report(suite, cases);
  if (lost.length > 0) {
    throw new Error(
      `${list.title}: ${lost.length} of ${cases.length} no longer agree:\n${lost.map(inWords).join('\n')}`,
    );
  }
  if (process.env.TDCTL_SUITES_ACCEPT !== undefined) accept(suite, list, { grown, unknown });
  else say(list, { grown, unknown });
}

function say(list: AgreementList, { grown, unknown }: Difference): void {
  const enter = '`npm run suites -- --accept` enters it';
  if (grown.length > 0) {
    const names = grown.map(({ name }) => name).join(', ');
    console.log(`${list.title}: ${grown.length} more agree than the list says; ${enter}: ${names}`);
  }
  if (unknown.length > 0) {
    const told = unknown.map(inWords).join('\n');
    console.log(`${list.title}: ${unknown.length} differ that no list has; ${enter}:\n${told}`);
  }
}

interface Difference {
  readonly grown: readonly Case[];
  readonly unknown: readonly Case[];
}

function accept(suite: Suite, list: AgreementList, { grown, unknown }: Difference): void {
  const agrees = [...list.agrees, ...grown.map(({ name }) => name)].sort();
  const reasons = [
    ...Object.entries(list.otherwise).filter(([name]) => !agrees.includes(name)),
    ...unknown.map(({ name, because = notLookedInto }) => [name, because] as const),
  ].sort(([one], [other]) => (one < other ? -1 : 1));
  writeList(suite, { ...list, agrees, otherwise: Object.fromEntries(reasons) });
  writeTable();
}

function inWords({ name, natively, underExec, because }: Case): string {
  const before = natively === undefined ? '' : `natively ${natively}; `;
  const reason = because === undefined ? '' : ` (${because})`;
  return `  ${name}: ${before}under exec ${underExec}${reason}`;
}

/** All that does not agree, for a person who looks into it. */
function report(suite: Suite, cases: readonly Case[]): void {
  const differing = cases.filter(({ agrees }) => !agrees).map(inWords);
  mkdirSync(suitesFolder, { recursive: true });
  writeFileSync(join(suitesFolder, `${suite}.differs`), `${differing.join('\n')}\n`);
}
