/** The lists of what agrees, and the page that shows them. */
import { expect, test } from 'vitest';
import { readList, suites } from './lists.ts';
import { pageWithTable, readPage } from './table.ts';

test('the table in docs/simulator.md says what the lists say', () => {
  expect(readPage()).toBe(pageWithTable(readPage()));
});

test.for(suites)('each case of %s stands once, with a reason where it does not agree', (suite) => {
  const { agrees, otherwise } = readList(suite);
  const names = [...agrees, ...Object.keys(otherwise)];
  expect(new Set(names).size).toBe(names.length);
  expect(Object.values(otherwise).filter((reason) => reason.trim() === '')).toEqual([]);
});
