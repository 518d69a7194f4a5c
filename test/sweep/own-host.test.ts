/**
 * Our own kvm host, with the real addon, real ioctls and real threads, against the simulated kernel: each
 * ioctl and each leaf fails in turn, under the rules of each kernel. All of it: `npm run sweep`. Otherwise
 * a sample, the same in every run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, type TestContext, test } from 'vitest';
import { formatFault } from '../../src/simulator/index.ts';
import { requireSupervision } from '../exec/programs.ts';
import { Random } from '../fuzz/random.ts';
import { casesOf, type OwnHostCase } from './own-host/cases.ts';
import { commands, type OwnHostCommand, smallSpec } from './own-host/commands.ts';
import { SupervisedHost, type SupervisedOutcome } from './own-host/supervised.ts';
import { expectSame, expectWords, told } from './own-host/told.ts';

const isFull = process.env.TDCTL_SWEEP === 'full';
/** Of so many calls of each command one fault is tried, where not all are. */
const sampled = 2;

const kernels = [
  'upstream-7.3',
  'posted-terminate-vm',
  'rfc-migration-v1',
  'rfc-migration-v2',
  'proposal-1',
] as const;

const directory = mkdtempSync(join(tmpdir(), 'tdctl-own-host-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const spec = smallSpec(directory);

/** One process at a time can be supervised. */
async function supervised(
  context: TestContext,
  kernel: string,
  work: (host: SupervisedHost) => Promise<void>,
): Promise<void> {
  requireSupervision(context);
  const host = await SupervisedHost.start(kernel);
  try {
    await work(host);
  } finally {
    await host.end();
  }
}

function chosen(kernel: string, { name }: OwnHostCommand, cases: OwnHostCase[]): OwnHostCase[] {
  if (isFull) return cases;
  const random = new Random(`${kernel} ${name}`);
  return Array.from({ length: sampled }, () => random.pick(cases));
}

function argsOf({ args, takesHost }: OwnHostCommand, kernel?: string): readonly string[] {
  const rules = kernel === undefined ? [] : ['--kernel', kernel];
  return [...args(spec), ...(takesHost ? ['--host', 'kvm', ...rules] : [])];
}

async function judge(
  about: { readonly kernel: string; readonly command: OwnHostCommand },
  outcome: SupervisedOutcome,
  each?: OwnHostCase,
): Promise<string[]> {
  const { kernel, command } = about;
  const onKvm = told(command.name, outcome);
  try {
    expect(outcome.left).toEqual([]);
    expect(outcome.unmet).toBe(false);
    expectWords(outcome, onKvm, { findings: command.name === 'doctor' });
    const isShared = each === undefined || each.simulated !== undefined;
    if (command.simulated !== undefined && isShared) {
      const simulated = told(
        command.name,
        await command.simulated({ spec, kernel, fault: each?.simulated }),
      );
      const namesCheck =
        each !== undefined && (!('errno' in each.fault) || each.fault.at.includes(':'));
      expectSame(onKvm, simulated, { namesCheck });
    }
    return [];
  } catch (error) {
    const fault = each === undefined ? 'no fault' : formatFault(each.fault);
    return [`${kernel}, ${command.name}, ${fault}: ${(error as Error).message}\n${outcome.stderr}`];
  }
}

describe('on a kernel of the rules of', () => {
  test.for(kernels)(
    '%s the kvm host ends as the simulated one does, whatever call fails, and leaves nothing open',
    { timeout: isFull ? 24 * 3_600_000 : 600_000 },
    async (kernel, context) => {
      const found: string[] = [];
      await supervised(context, kernel, async (host) => {
        for (const command of commands) {
          const about = { kernel, command };
          const args = argsOf(command, kernel);
          const good = await host.run(args);
          found.push(...(await judge(about, good)));
          for (const each of chosen(kernel, command, casesOf(command, good.trace))) {
            found.push(...(await judge(about, await host.run(args, each.fault), each)));
          }
        }
      });
      expect(found).toEqual([]);
    },
  );

  test.for(kernels)(
    '%s the kvm host finds out by itself what the kernel does, or says which question was refused',
    { timeout: isFull ? 24 * 3_600_000 : 600_000 },
    async (kernel, context) => {
      const found: string[] = [];
      await supervised(context, kernel, async (host) => {
        for (const command of commands.filter(({ takesHost }) => takesHost)) {
          const about = { kernel, command };
          const asked = await host.run(argsOf(command));
          const chosenRules = await host.run(argsOf(command, kernel));
          const [probed, named] = [asked, chosenRules].map((each) => told(command.name, each));
          expect(probed).toEqual(named);
          expect(asked.left).toEqual([]);
          if (command.name !== 'host') continue;
          const cases = casesOf(command, asked.trace);
          for (const each of isFull ? cases : chosen(`${kernel} asked`, command, cases)) {
            const outcome = await host.run(argsOf(command), each.fault);
            const { fault } = each;
            found.push(...(await judge(about, outcome, { fault, simulated: undefined })));
          }
        }
      });
      expect(found).toEqual([]);
    },
  );
});
