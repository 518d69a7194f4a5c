/** A keeper on `soft`: the VM, its vCPUs and its memory are real, and the example guest runs in them. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { asked, filesOf, http, isOver, launch, recordsOf, statusOf } from '../keeper/keepers.ts';
import { until } from '../support/processes.ts';

/** What the fds of a process are, without the numbers of vCPUs. */
function fdsOf(pid: number, kind: RegExp): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const [found] = kind.exec(readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? [];
      return found === undefined ? [] : [found];
    } catch {
      return []; // Closed between the listing and the look.
    }
  });
}

const bytesOf = (line: string) => {
  const [from = '0', to = '0'] = line.split(' ')[0]?.split('-') ?? [];
  return Number.parseInt(to, 16) - Number.parseInt(from, 16);
};

test('the guest runs on, its words are in the log, and all of its memory could be passed on', async (context) => {
  if (!existsSync('/dev/kvm')) context.skip('/dev/kvm is not here');
  if (!loadAddon().available) context.skip('the native addon is not built (g++, make, python3)');
  const name = 'real';
  const pid = await launch(asked(name, { host: 'soft', start: true }));
  const files = await filesOf(name);
  const log = () => (existsSync(files.console) ? readFileSync(files.console, 'utf8') : '');
  await until(() => log().includes('hello from vcpu 0'));
  expect(fdsOf(pid, /kvm-vm|kvm-vcpu/).sort()).toEqual([...Array(4).fill('kvm-vcpu'), 'kvm-vm']);

  // RAM and firmware: shared mappings of memfds, and no other memory of the guest.
  const mappings = readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .filter((line) => line.includes('/memfd:tdctl-guest'));
  expect(mappings.every((line) => line.split(' ')[1] === 'rw-s')).toBe(true);
  expect(mappings.map(bytesOf).sort((a, b) => a - b)).toEqual([64 * 1024, 128 * 1024 * 1024]);

  await http(name, 'POST', '/v1/td/pause');
  const printed = log();
  expect((await http(name, 'GET', '/v1/td')).body).toMatchObject({ state: 'paused' });
  expect(log()).toBe(printed);
  await http(name, 'POST', '/v1/td/resume');
  await until(() => log().length > printed.length);

  await http(name, 'POST', '/v1/td/stop');
  await isOver(name);
  expect((await statusOf(name)).td).toMatchObject({ state: 'destroyed', guestEnded: null });
  expect((await recordsOf(name)).at(-1)).toMatchObject({ kind: 'over', outcome: 'destroyed' });
});

test('another keeper has the name of one that was killed, at once', async (context) => {
  if (!existsSync('/dev/kvm')) context.skip('/dev/kvm is not here');
  if (!loadAddon().available) context.skip('the native addon is not built (g++, make, python3)');
  const pid = await launch(asked('killed', { host: 'soft', start: true }));
  process.kill(pid, 'SIGKILL');
  await isOver('killed');
  await launch(asked('killed', { host: 'soft', start: true, again: true }));
  expect(await statusOf('killed')).toMatchObject({ life: 2, td: { state: 'running' } });
  await http('killed', 'POST', '/v1/td/kill');
  await isOver('killed');
});
