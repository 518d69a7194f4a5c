/** rust-vmm's tests of its wrapper of KVM's ioctls, natively and under exec. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { requireSupervision } from '../../exec/programs.ts';
import { type Case, judge } from '../agreement.ts';
import { readList } from '../lists.ts';
import {
  natively,
  type Ran,
  suitesFolder,
  suiteTimeoutMs,
  underExec,
  whyNotFetched,
  whyNotNatively,
} from '../run.ts';

const suite = 'kvm-ioctls';
const program = join(suitesFolder, suite, 'kvm-ioctls-tests');

/** By test: `passes`, `skips`, or `fails` and why. */
function outcomes({ stdout }: Ran): ReadonlyMap<string, string> {
  // What a test prints may come between its name and its result.
  const results = stdout.matchAll(/^test (\S+) \.\.\. (ok|FAILED|ignored)/gm);
  return new Map(
    [...results].map(([, name = '', result]) => {
      if (result === 'ok') return [name, 'passes'];
      return [name, result === 'ignored' ? 'skips' : `fails: ${panic(stdout, name)}`];
    }),
  );
}

function panic(stdout: string, name: string): string {
  const [, said = ''] = stdout.split(`---- ${name} stdout ----\n`);
  const [, where = '', why = ''] = /panicked at .*?\/(src\/\S+):\n(.*)/.exec(said) ?? [];
  return `${where} ${why}`.trim();
}

/**
 * `test_clock` wants less time to pass between two of its calls than between two others, which a busy machine need not
 * give: what agrees by the list and has failed is run again by itself, and disagrees where it never passes.
 */
async function triedAgain(
  first: ReadonlyMap<string, string>,
  command: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { agrees } = readList(suite);
  let last = first;
  for (let more = 0; more < 3; more += 1) {
    const failed = agrees.filter((name) => last.get(name)?.startsWith('fails'));
    if (failed.length === 0) break;
    const again = outcomes(await underExec([...command, '--exact', ...failed]));
    last = new Map([...last, ...again]);
  }
  return last;
}

test(
  'what passes of kvm-ioctls’ own tests passes under exec',
  async (context) => {
    requireSupervision(context);
    if (!existsSync(program)) context.skip(whyNotFetched(suite));
    // One after the other, so that what one prints is not in another's.
    const command = [program, '--test-threads=1'];
    const before =
      whyNotNatively() === undefined
        ? outcomes(await natively(command))
        : new Map<string, string>();
    const after = await triedAgain(outcomes(await underExec(command)), command);
    const cases = [...after].map(
      ([name, outcome]): Case => ({
        name,
        agrees: outcome === 'passes',
        natively: before.get(name) ?? 'not run',
        underExec: outcome,
      }),
    );
    judge(suite, cases, { wasRun: () => true });
  },
  suiteTimeoutMs,
);
