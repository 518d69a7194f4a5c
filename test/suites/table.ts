/** The table of docs/simulator.md: what agrees with what, made from the lists. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../support/built.ts';
import { readList, type Suite, suites } from './lists.ts';

const page = join(projectRoot, 'docs/simulator.md');
const [begin, end] = ['<!-- made by `npm run suites -- --accept` -->\n', '<!-- until here -->\n'];

/** The page with the table as the lists have it. */
export function pageWithTable(text: string): string {
  const [before, rest = ''] = text.split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`${page} has no place for the table of the suites`);
  return [before, begin, table(), end, after].join('');
}

export const readPage = () => readFileSync(page, 'utf8');

export function writeTable(): void {
  writeFileSync(page, pageWithTable(readPage()));
}

function table(): string {
  const head = ['| suite | cases | agree | the others |', '|---|---|---|---|'];
  return `${[...head, ...suites.map(row)].join('\n')}\n`;
}

function row(suite: Suite): string {
  const { title, agrees, otherwise } = readList(suite);
  const counts = new Map<string, number>();
  for (const reason of Object.values(otherwise)) {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const others = [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([reason, count]) => `${count}: ${reason}`)
    .join('; ');
  const cases = agrees.length + Object.keys(otherwise).length;
  return `| ${title} | ${cases} | ${agrees.length} | ${others} |`;
}
