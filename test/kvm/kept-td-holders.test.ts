/** A VM outlives its maker for as long as anybody has its fd, and whoever looks is told who that is. */
import { accessSync, constants } from 'node:fs';
import { expect, type TestContext, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { readProcess } from '../../src/keeper/process-stat.ts';
import { inspectTd } from '../../src/keeper/recovery/inspect.ts';
import { ownTd } from '../../src/keeper/td-directory.ts';
import { partOfVmLink, vmHoldings } from '../../src/keeper/vm-holders.ts';
import { freshState, identity, otherProcess, status } from '../keeper/support.ts';
import { requireAddon } from '../native/support.ts';

function requireKvm(context: TestContext): void {
  requireAddon(context);
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch (error) {
    context.skip(`/dev/kvm cannot be opened: ${(error as NodeJS.ErrnoException).code}`);
  }
}

const code = (addon: string) => `
  import { spawn } from 'node:child_process';
  import { createRequire } from 'node:module';
  const addon = createRequire('/')(${JSON.stringify(addon)});
  const system = await addon.System.open();
  const vm = await system.kvmCreateVm(0);
  const child = spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', vm.fd], detached: true });
  say(child.pid);
  await stay();`;

test('of a keeper that was killed', async (context) => {
  requireKvm(context);
  const native = loadAddon();
  const state = await freshState(context);
  const path = native.available ? native.path : '';
  const maker = otherProcess(context, { path: state.path, code: code(path) });
  const heir = Number(await maker.line());
  context.onTestFinished(() => {
    if (heirLives()) process.kill(heir, 'SIGKILL');
  });
  const heirLives = () => readProcess(heir) !== undefined;
  const keeper = {
    ...identity(),
    pid: maker.pid,
    startTime: readProcess(maker.pid)?.startTime ?? '',
  };
  const td = await ownTd(state, 'web', { create: true });
  td?.beginLife(keeper);
  td?.writeStatus(status('web', { host: { name: 'kvm', simulated: false } }));
  td?.release();

  const { found } = vmHoldings(new Set(), partOfVmLink);
  expect(found.map(({ pid }) => pid)).toEqual(expect.arrayContaining([maker.pid, heir]));
  expect(found).toContainEqual({ pid: heir, command: 'sleep', vms: 1 });
  expect((await inspectTd(state, 'web'))?.row.id).toBe('alive');
  await maker.kill();
  const { row, td: told } = (await inspectTd(state, 'web')) ?? {};
  expect(row?.id).toBe('held-by-others');
  expect(told?.notes[0]).toContain(`sleep (${heir})`);
});
