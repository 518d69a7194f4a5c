import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorKinds, exitCodes, TdctlError } from '../../src/errors/index.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n')[0] ?? '', section]),
);

describe('error codes', () => {
  test('each has a section in docs/errors.md that names its exit code, and no other has one', () => {
    const documented = [...sections.keys()].filter((title) => title.startsWith('TDCTL_E_'));
    expect(documented).toEqual(Object.keys(errorKinds));
    for (const [code, { exitCode }] of Object.entries(errorKinds)) {
      expect(sections.get(code), code).toMatch(new RegExp(`^Exit ${exitCode}\\.`, 'm'));
    }
  });

  test('the table of exit codes in the docs is the one in the code', () => {
    const rows = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number));
    expect(rows).toEqual(Object.values(exitCodes));
  });

  test('an error carries the exit code of its kind', () => {
    const error = new TdctlError({ code: 'TDCTL_E_VCPU_LIMIT', op: 'test', message: 'no' });
    expect(error.exitCode).toBe(7);
  });
});
