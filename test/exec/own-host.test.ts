/** tdctl's own kvm host as a user runs it under `tdctl exec`; test/sweep/own-host.test.ts has every fault. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtMain } from '../support/built.ts';
import { cli } from '../support/cli.ts';
import { execute, requireSupervision, scratch } from './programs.ts';

const tdctl = [process.execPath, builtMain()];

/** Guests that go on until they are made to leave; by default they power off. */
const runsOn = join(scratch, 'runs-on.yaml');
writeFileSync(
  runsOn,
  'apiVersion: tdctl.io/v1alpha1\nkind: RunScript\nmetadata: {name: on}\nspec:\n  vcpus: [{ids: others, steps: [{hold: true}]}]\n',
);

describe('tdctl --host kvm under tdctl exec', () => {
  test('moves a TD under the rules of RFC v2, and asks nothing that a VMM would be blamed for', async (context) => {
    requireSupervision(context);
    const { exitCode, stdout, summary } = await execute(
      [...tdctl, 'rehearse', 'examples/hello.yaml', '--host', 'kvm'],
      { args: ['--kernel', 'rfc-migration-v2', '--run', runsOn] },
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain('migrate hello: completed');
    expect(stdout).toContain('KVM_LINK_GUEST_MEMFD');
    expect(stdout).not.toContain('simulated time');
    expect(stdout).toMatch(/hello→2 +✓ entering/);
    expect(summary).toMatchObject({ stillOpen: [], leakedKeySlots: 0, keySlots: { used: 0 } });
    expect(summary.refusals.filter(({ routine }) => !routine)).toEqual([]);
    // The destination takes no key slot of its own.
    expect(summary.keySlots.peak).toBe(1);
  });

  test('moves a TD that runs under the rules of RFC v1 too', async (context) => {
    requireSupervision(context);
    const { exitCode, stdout, summary } = await execute(
      [...tdctl, 'rehearse', 'examples/hello.yaml', '--host', 'kvm'],
      { args: ['--kernel', 'rfc-migration-v1', '--run', runsOn] },
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain('migrate hello: completed');
    expect(summary).toMatchObject({ stillOpen: [], leakedKeySlots: 0, keySlots: { used: 0 } });
  });

  test('does not take a move for completed whose TD cannot be entered where it is now', async (context) => {
    requireSupervision(context);
    const { exitCode, stdout, stderr, summary } = await execute(
      [...tdctl, 'rehearse', 'examples/hello.yaml', '--host', 'kvm'],
      // Each vCPU of the source is entered, and once more after it was interrupted.
      {
        args: [
          ...['--kernel', 'rfc-migration-v2', '--run', runsOn],
          ...['--fault', 'TDH.VP.ENTER#9+=TDX_NON_RECOVERABLE_VCPU'],
        ],
      },
    );
    expect(exitCode).not.toBe(0);
    expect(stdout).not.toContain('migrate hello: completed');
    expect(stderr).toContain('TDCTL_E_TD_LOST');
    expect(summary).toMatchObject({ stillOpen: [], leakedKeySlots: 0, keySlots: { used: 0 } });
  });

  test('makes a capture that can run a TD', async (context) => {
    requireSupervision(context);
    const path = join(scratch, 'under-exec.json');
    const { exitCode } = await execute([...tdctl, 'host', 'capture', path]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(readFileSync(path, 'utf8')).kind).toBe('tdctl.HostCapture');
    const run = ['run', 'examples/hello.yaml', '--until', 'runnable', '--host', `sim:${path}`];
    expect(await cli(run)).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('has a doctor that tells the machine from the KVM that answers', async (context) => {
    requireSupervision(context);
    const { exitCode, stdout } = await execute([...tdctl, 'doctor', '-o', 'json']);
    expect(exitCode).toBe(0);
    const { conclusion, counts, checks } = JSON.parse(stdout);
    expect({ conclusion, failed: counts.fail, skipped: counts.skipped }).toEqual({
      conclusion: 'ready',
      failed: 0,
      skipped: 0,
    });
    const vendor = checks.find(({ id }: { id: string }) => id === 'cpu.vendor');
    if (vendor.status !== 'pass') expect(vendor.evidence).toContain('another machine');
  });
});
