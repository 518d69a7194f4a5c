/** docs/recovery.md has the table that the code concludes by; `vitest -u` writes it anew. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { presences } from '../../../src/keeper/presence.ts';
import { type RecoveryRow, recoveryTable } from '../../../src/keeper/recovery/table.ts';
import { underWays } from '../../../src/keeper/recovery/under-way.ts';
import { tdFileNames } from '../../../src/keeper/td-files.ts';
import { projectRoot } from '../../support/tdctl.ts';

const path = join(projectRoot, 'docs/recovery.md');
const cell = (text: string) => text.replaceAll('|', '\\|');
const line = (...cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;

function rowLine(row: RecoveryRow): string {
  const { underWay, found, state, done, told } = row;
  const before = underWay?.map((each) => underWays[each]).join('; or ') ?? 'anything';
  const is = state === 'as written' ? state : `\`${state}\``;
  return line(before, found, is, done, told.join('; ') || '–');
}

function between(text: string, mark: string, lines: readonly string[]): string {
  const place = new RegExp(`(<!-- ${mark} -->\\n)[^]*?(<!-- end -->)`);
  expect(text).toMatch(place);
  return text.replace(place, (_, from, to) => `${from}${lines.join('\n')}\n${to}`);
}

test('the page has every row, in order', async () => {
  const text = readFileSync(path, 'utf8');
  const head = ['was under way', 'is found', 'is', 'is done', 'a person is told'];
  const rows: readonly RecoveryRow[] = recoveryTable;
  const table = [line(...head), line(...head.map(() => '---')), ...rows.map(rowLine)];
  const seen = [
    line('found', 'is called'),
    line('---', '---'),
    ...Object.entries(presences).map(([name, words]) => line(words, name)),
  ];
  const wanted = between(between(text, 'table', table), 'presences', seen);
  await expect(wanted).toMatchFileSnapshot(path);
});

test('the page names every file', () => {
  const text = readFileSync(path, 'utf8');
  for (const name of Object.values(tdFileNames)) expect(text).toContain(`\`${name}\``);
});
