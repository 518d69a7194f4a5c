/** MSRs that do not depend on the CPU, asked of this machine's /dev/kvm and of the simulated one. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { expect, type TestContext, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { capabilities } from '../../src/abi/kvm/capabilities.ts';
import { execute, program } from './programs.ts';

/** What the program is told to leave out on this machine. */
async function leftOut(context: TestContext): Promise<readonly string[]> {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (error) {
    context.skip(`/dev/kvm cannot be opened: ${(error as NodeJS.ErrnoException).code}`);
  }
  const native = loadAddon();
  if (!native.available) return context.skip('the native addon is not built');
  const system = await native.addon.System.open();
  const hyperv = await system.kvmCheckExtension(capabilities.KVM_CAP_HYPERV_SYNIC2);
  await system.close();
  return hyperv === 0 ? ['without-hyper-v'] : [];
}

test('an MSR takes, refuses and shows as on this machine', async (context) => {
  const command = [program(context, 'msr-answers'), ...(await leftOut(context))];
  const real = spawnSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' });
  expect({ status: real.status, stderr: real.stderr }).toEqual({ status: 0, stderr: '' });
  const simulated = await execute(command);
  expect(simulated.exitCode).toBe(0);
  const lines = real.stdout.split('\n');
  expect(lines.length).toBeGreaterThan(4_000);
  const differences = simulated.stdout
    .split('\n')
    .flatMap((line, at) => (line === lines[at] ? [] : [{ real: lines[at], simulated: line }]));
  expect(differences).toEqual([]);
});
