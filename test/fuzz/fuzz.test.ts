/**
 * Whatever tdctl reads: an answer, or an error that says what is wrong; never a defect, and never without
 * end. Here a fixed sample; `npm run fuzz -- --count 3000000` for a campaign.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { conclude } from '../../src/cli/failure.ts';
import { TdctlError } from '../../src/errors/index.ts';
import { terminal } from '../support/cli.ts';
import { Random } from './random.ts';
import { type Target, targets } from './targets.ts';
import { Watchdog } from './watchdog.ts';

const { TDCTL_FUZZ_COUNT, TDCTL_FUZZ_SEED, TDCTL_FUZZ_ONLY, TDCTL_FUZZ_AT } = process.env;
const seed = TDCTL_FUZZ_SEED ?? '1';
const count = Number(TDCTL_FUZZ_COUNT ?? 40_000);
const chosen = targets.filter(
  ({ name }) => TDCTL_FUZZ_ONLY === undefined || name === TDCTL_FUZZ_ONLY,
);
const shares = chosen.reduce((sum, { share }) => sum + share, 0);

const watchdog = new Watchdog();
afterAll(() => watchdog.end());

// Nothing but line ends, tabs and what can be seen.
// biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the property
const harmful = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u2028-\u202e\u2066-\u2069]/;

/** @returns what is wrong with the way it ended. */
async function problemWith(error: unknown): Promise<string | undefined> {
  if (!(error instanceof TdctlError) || error.code === 'TDCTL_E_INTERNAL') {
    return error instanceof Error ? error.stack : String(error);
  }
  const { io, written } = terminal();
  await conclude({ error }, { io, format: 'text' });
  return harmful.test(written.stderr)
    ? `harmful text: ${JSON.stringify(written.stderr)}`
    : undefined;
}

function pollution(): string | undefined {
  for (const key in {}) return `every object has got ${key}`;
  return undefined;
}

async function tryInput(target: Target, at: number): Promise<string | undefined> {
  const input = target.input(new Random(`${seed} ${target.name} ${at}`));
  let problem: string | undefined;
  try {
    await input.read();
  } catch (error) {
    problem = await problemWith(error);
  }
  problem ??= pollution();
  if (problem === undefined) return undefined;
  return [
    `npm run fuzz -- --only '${target.name}' --seed ${seed} --at ${at}`,
    problem,
    JSON.stringify(input.shown.slice(0, 4000)),
  ].join('\n');
}

describe('an answer or an error that says what is wrong, whatever the input', () => {
  test.each(chosen)('$name', { timeout: 24 * 3_600_000 }, async (target) => {
    const begun = process.cpuUsage();
    const inputs = Math.ceil((count * target.share) / shares);
    const [first, end] =
      TDCTL_FUZZ_AT === undefined
        ? [0, inputs]
        : [Number(TDCTL_FUZZ_AT), Number(TDCTL_FUZZ_AT) + 1];
    const problems: string[] = [];
    for (let at = first; at < end && problems.length < 5; at++) {
      watchdog.begin(`--only '${target.name}' --seed ${seed} --at ${at}`);
      const problem = await tryInput(target, at);
      if (problem !== undefined) problems.push(problem);
    }
    const { user } = process.cpuUsage(begun);
    if (TDCTL_FUZZ_COUNT !== undefined) {
      console.log(
        `${target.name}: ${end - first} inputs, ${Math.round(((end - first) * 1e6) / user)} a second of CPU`,
      );
    }
    expect(problems.join('\n\n')).toBe('');
  });
});
