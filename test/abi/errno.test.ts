import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { errnos } from '../../src/abi/errno.ts';

test('every errno that the headers of this system define has its name and number', (context) => {
  if (process.arch !== 'x64') context.skip('the numbers are those of x86-64');
  const macros = execFileSync('gcc', ['-E', '-dM', '-include', 'errno.h', '-x', 'c', '/dev/null'], {
    encoding: 'utf8',
  });
  const defined = [...macros.matchAll(/^#define (E[A-Z0-9]+) (\d+)$/gm)];
  expect(Object.fromEntries(defined.map(([, name, number]) => [name, Number(number)]))).toEqual(
    errnos,
  );
});
