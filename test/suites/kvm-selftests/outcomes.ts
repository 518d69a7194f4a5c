/** What a KVM selftest says of itself: a whole test, or each of its parts where it has them (TAP). */
import type { Ran } from '../run.ts';

/** kselftest.h */
const skipped = 4;

/** By name: `passes`, `skips: WHY` or `fails: WHERE`. */
export function outcomes(test: string, ran: Ran): ReadonlyMap<string, string> {
  const parts = [...ran.stdout.matchAll(/^(ok|not ok) \d+ (\S+)(.*)$/gm)];
  if (parts.length === 0) return new Map([[test, outcome(ran)]]);
  let failed = 0;
  return new Map(
    parts.map(([, ok, name, rest = '']) => {
      const skip = /# SKIP(.*)/.exec(rest)?.[1];
      if (skip !== undefined) return [`${test}: ${name}`, `skips: ${skip.trim()}`];
      return [`${test}: ${name}`, ok === 'ok' ? 'passes' : `fails: ${failure(ran, failed++)}`];
    }),
  );
}

function outcome(ran: Ran): string {
  if (ran.timedOut) return 'fails: it did not end';
  if (ran.exitCode === 0) return 'passes';
  if (ran.exitCode === skipped) {
    return `skips: ${/# SKIP -?(.*)/.exec(ran.stdout)?.[1]?.trim() ?? 'for no reason given'}`;
  }
  return `fails: ${failure(ran)}`;
}

/**
 * Where, what it asserted, and what it says of it, which comes after the stack.
 *
 * @param nth of the parts that failed, each of which ended by one assertion.
 */
function failure({ stdout, stderr, exitCode }: Ran, nth = 0): string {
  const [, ...reports] = `${stdout}\n${stderr}`.split('==== Test Assertion Failure ====\n');
  const report = reports[nth];
  if (report === undefined) return `it ended with ${exitCode}`;
  const lines = report.split('\n').map((line) => line.trim());
  const where = lines[0] ?? '';
  const message = lines.slice(2).find((line) => !/^(\d+\t|\(inlined by\))/.test(line)) ?? '';
  return message === '' ? where : `${where}: ${message}`;
}
