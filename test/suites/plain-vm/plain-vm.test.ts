/** A client of ours, natively and under exec: what it prints is compared line by line. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { requireSupervision } from '../../exec/programs.ts';
import { type Case, judge } from '../agreement.ts';
import { readList } from '../lists.ts';
import { natively, type Ran, suitesFolder, underExec, whyNotNatively } from '../run.ts';

function compiled(context: TestContext): string {
  mkdirSync(suitesFolder, { recursive: true });
  const program = join(suitesFolder, 'plain-vm');
  const sources = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.c'));
  const strict = ['-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-O1'];
  const cc = spawnSync('cc', [...strict, ...sources, '-o', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  if (cc.error !== undefined) context.skip('there is no C compiler (cc) to make the client with');
  if (/error: .*(linux\/kvm\.h|undeclared|strerrorname_np)/.test(cc.stderr)) {
    context.skip('the headers of this machine are older than the client');
  }
  expect(cc.stderr).toBe('');
  return program;
}

/** Each is a question and its answer. */
function linesOf({ exitCode, stdout, stderr }: Ran): readonly string[] {
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout.trimEnd().split('\n');
}

function questionOf(line: string): string {
  return line.replace(/ (=|is) \S+$/, '');
}

test('a client of an ordinary VM is told under exec what it is told natively', async (context) => {
  requireSupervision(context);
  const program = compiled(context);
  const after = linesOf(await underExec([program]));
  const byQuestion = new Map(after.map((line) => [questionOf(line), line]));
  // Another kernel than the list was made with may answer otherwise, and /dev/kvm may be missing.
  const before = whyNotNatively() === undefined ? linesOf(await natively([program])) : [];
  const lines = [...new Set([...before, ...readList('plain-vm').agrees])];
  const cases = lines.map((line): Case => {
    const answer = byQuestion.get(questionOf(line)) ?? 'no such line';
    return { name: line, agrees: answer === line, underExec: answer };
  });
  judge('plain-vm', cases, { wasRun: () => true });
});
