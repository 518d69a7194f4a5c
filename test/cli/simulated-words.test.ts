/** A refusal of a simulated host sends nobody to a kernel log: there is none. */
import { expect, test } from 'vitest';
import {
  formatRehearsalFault,
  rehearseSimulated,
  singleFaults,
} from '../../src/rehearsal/index.ts';
import { scenarioOf } from '../rehearsal/play.ts';
import { cli } from '../support/cli.ts';
import { profile } from '../support/hello-plan.ts';

const kernelAbi = 'upstream-7.3';

/** The first fault of each kind at each leaf that the run comes to, and for good. */
async function leafFaults(): Promise<string[]> {
  const scenario = await scenarioOf({ kernelAbi });
  const { trace } = await rehearseSimulated({ profile, kernelAbi }, { scenario, traced: true });
  const all = singleFaults(trace).flatMap(({ faults: [fault] }) =>
    fault === undefined ? [] : [formatRehearsalFault(fault)],
  );
  const kinds = all
    .filter((text) => text.startsWith('TDH.'))
    .map((text) => text.replace(/#\d+/, '').replace('=', '#1+='));
  return [...new Set(kinds)];
}

const sendsAway = /kernel log|dmesg/;

test('no refusal of a leaf names a kernel log, and each that ends a run names leaf and status', async () => {
  const faults = await leafFaults();
  expect(faults.length).toBeGreaterThan(25);
  const named: string[] = [];
  for (const fault of faults) {
    const run = ['run', 'examples/hello.yaml', '--host', 'sim', '--until', 'runnable'];
    const { exitCode, stdout, stderr } = await cli([...run, '--fault', fault]);
    expect(stdout + stderr, fault).not.toMatch(sendsAway);
    const [leaf, status = ''] = fault.split(/#1\+=|\|/);
    if (exitCode === 0 || !stderr.includes(`${leaf} answered ${status}`)) continue;
    named.push(fault);
  }
  // The others are repeated, or go to the teardown, which no leaf keeps from its end.
  expect(named.map((fault) => fault.split('#')[0])).toEqual(
    expect.arrayContaining([
      'TDH.MNG.CREATE',
      'TDH.MNG.KEY.CONFIG',
      'TDH.MNG.ADDCX',
      'TDH.VP.CREATE',
      'TDH.VP.INIT',
      'TDH.MR.EXTEND',
    ]),
  );
}, 60_000);
