/** Linux's own tests of KVM, natively and under exec. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { requireSupervision } from '../../exec/programs.ts';
import { type Case, judge } from '../agreement.ts';
import {
  isFull,
  natively,
  suitesFolder,
  suiteTimeoutMs,
  twoAtATime,
  underExec,
  whyNotFetched,
  whyNotNatively,
} from '../run.ts';
import { outcomes } from './outcomes.ts';
import short from './short.json' with { type: 'json' };

const suite = 'kvm-selftests';
const folder = join(suitesFolder, suite, 'kvm');

/** They load guests for long and say nothing of ioctls that the others do not. */
const guestsUnderLoad = /_perf_test$|_stress_test$|^(hardware_disable|rseq|dirty_log)_test$/;

function isBuilt(name: string): boolean {
  return existsSync(join(folder, `${name}.o`)) && existsSync(join(folder, name));
}

function built(): readonly string[] {
  const names = ['.', 'x86'].flatMap((directory) =>
    readdirSync(join(folder, directory))
      .filter((file) => file.endsWith('.c'))
      .map((file) => join(directory, basename(file, '.c'))),
  );
  return names.filter((name) => isBuilt(name) && !guestsUnderLoad.test(name)).sort();
}

/** Whether it had come to KVM_RUN by the time it failed: before, no guest can be to blame. */
async function ranGuestCode(...how: Parameters<typeof underExec>): Promise<boolean> {
  const { trace } = await underExec(how[0], { ...how[1], withTrace: true });
  return trace.includes('"KVM_RUN"');
}

async function compare(name: string): Promise<readonly Case[]> {
  const command = [join(folder, name)];
  // Some ask tens of thousands of times; a busy machine is slow at that.
  const options = { cwd: folder, seconds: 300 };
  const before =
    whyNotNatively() === undefined ? outcomes(name, await natively(command, options)) : new Map();
  const after = outcomes(name, await underExec(command, options));
  // One that dies early tells nothing of its parts.
  const whole = after.get(name);
  const parts =
    whole === undefined || before.size === 0
      ? after
      : new Map([...before.keys()].map((part) => [part, whole] as const));
  const fails = [...parts.values()].some((outcome) => outcome.startsWith('fails'));
  const ranGuest = isFull && fails && (await ranGuestCode(command, options));
  return [...parts].map(([part, outcome]) => ({
    name: part,
    agrees: outcome === 'passes',
    natively: before.get(part),
    underExec: outcome,
    ...(outcome.startsWith('skips') && { because: 'skips' }),
    ...(outcome.startsWith('fails') && ranGuest && { because: 'runs guest code' }),
  }));
}

test(
  'what passes of the kernel’s own tests of KVM passes under exec',
  async (context) => {
    requireSupervision(context);
    if (!existsSync(folder)) context.skip(whyNotFetched(suite));
    const names = isFull ? built() : short.filter(isBuilt);
    expect(names).not.toEqual([]);
    const cases = (await twoAtATime(names, compare)).flat();
    judge(suite, cases, { wasRun: (name) => names.includes(name.split(': ')[0] ?? '') });
  },
  suiteTimeoutMs,
);
