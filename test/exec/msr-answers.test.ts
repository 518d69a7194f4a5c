/** MSRs that do not depend on the CPU, asked of this machine's /dev/kvm and of the simulated one. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { expect, test } from 'vitest';
import { execute, program } from './programs.ts';

test('every value of every such MSR is taken, refused and read back as by /dev/kvm', async (context) => {
  const path = program(context, 'msr-answers');
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (error) {
    context.skip(`/dev/kvm cannot be opened: ${(error as NodeJS.ErrnoException).code}`);
  }
  const real = spawnSync(path, { encoding: 'utf8' });
  expect({ status: real.status, stderr: real.stderr }).toEqual({ status: 0, stderr: '' });
  const simulated = await execute([path]);
  expect(simulated.exitCode).toBe(0);
  const lines = real.stdout.split('\n');
  expect(lines.length).toBeGreaterThan(10_000);
  const differences = simulated.stdout
    .split('\n')
    .flatMap((line, at) => (line === lines[at] ? [] : [{ real: lines[at], simulated: line }]));
  expect(differences).toEqual([]);
});
