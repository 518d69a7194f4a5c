/** tdctl's own kvm host as a user runs it under `tdctl exec`; test/sweep/own-host.test.ts has every fault. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { builtMain } from '../support/built.ts';
import { cli } from '../support/cli.ts';
import { execute, requireSupervision, scratch } from './programs.ts';

const tdctl = [process.execPath, builtMain()];

describe('tdctl --host kvm under tdctl exec', () => {
  test('moves a TD under the rules of RFC v2, and asks nothing that a VMM would be blamed for', async (context) => {
    requireSupervision(context);
    const { exitCode, stdout, summary } = await execute(
      [...tdctl, 'rehearse', 'examples/hello.yaml', '--host', 'kvm'],
      { args: ['--kernel', 'rfc-migration-v2'] },
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain('migrate hello: completed');
    expect(stdout).toContain('KVM_LINK_GUEST_MEMFD');
    expect(stdout).not.toContain('simulated time');
    expect(stdout).toMatch(/· entering .* this host runs no guests/);
    expect(summary).toMatchObject({ stillOpen: [], leakedKeySlots: 0, keySlots: { used: 0 } });
    expect(summary.refusals.filter(({ routine }) => !routine)).toEqual([]);
    // The destination takes no key slot of its own.
    expect(summary.keySlots.peak).toBe(1);
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
