/** The example guest lives on the real /dev/kvm: what it says, what it answers, how it ends. */
import { describe, expect, test } from 'vitest';
import type { GuestEnd } from '../../native/index.ts';
import type { ExampleGuestVerdict } from '../../src/guest/example-guest.ts';
import { helloFirmware, startExampleGuest } from './example-guest-support.ts';
import { requireMachine } from './guest-support.ts';

const none = { total: 0, items: [] };

function expectNothingLost({ vcpus, garbled, lostBytes }: ExampleGuestVerdict): void {
  expect({ garbled, lostBytes }).toEqual({ garbled: none, lostBytes: 0 });
  for (const heard of vcpus) {
    expect(heard).toMatchObject({ hellos: 1, first: 1, gaps: none, repeats: none, lost: none });
    expect(heard.counts).toBe(heard.last);
  }
}

describe('the example guest', () => {
  test.for([1, 4])('says hello and counts on %i vCPUs', async (vcpuCount, context) => {
    const { judge, counts } = await startExampleGuest(context, { vcpuCount });
    await counts(5);
    const verdict = judge.verdict();
    expectNothingLost(verdict);
    expect(verdict.vcpus.map(({ vcpu, inTd }) => [vcpu, inTd])).toEqual(
      Array.from({ length: vcpuCount }, (_, vcpu) => [vcpu, false]),
    );
  });

  test('answers what is typed, in pieces or with mistakes, and powers off', async (context) => {
    const { judge, lines, type, until, here } = await startExampleGuest(context);
    const said = () => lines.flatMap((line) => (line.kind === 'said' ? [line.text] : []));
    here().guest.input(Buffer.from('good'));
    await until(() => lines.length > 3);
    type(' morning\r\n\nquitx\b, quitters');
    type('y'.repeat(150));
    type('é');
    await until(() => said().length === 4);
    expect(said()).toEqual(['good morning', 'quit, quitters', 'y'.repeat(100), 'é']);
    type('help');
    type('flood 30');
    type('escape');
    type('quit');
    expect(await here().ended).toEqual({ kind: 'power-off', vcpu: 0 });
    expect(judge.verdict().goodbye).toBe(true);
    expectNothingLost(judge.verdict());
    const kinds = new Set(lines.map(({ kind }) => kind));
    expect(kinds).toEqual(
      new Set(['hello', 'count', 'said', 'help', 'flood', 'escape', 'goodbye']),
    );
    expect(lines.flatMap((line) => (line.kind === 'flood' ? [line.number] : []))).toEqual(
      Array.from({ length: 30 }, (_, at) => at + 1),
    );
  });

  const endings: readonly (readonly [string, GuestEnd['kind']])[] = [
    ['poweroff', 'power-off'],
    ['reset', 'reset'],
    ['crash', 'shutdown'],
    ['panic out of coffee', 'shutdown'],
  ];
  test.for(endings)('ends by `%s`', async ([line, kind], context) => {
    const { judge, type, here } = await startExampleGuest(context);
    type(line);
    expect(await here().ended).toEqual({ kind, vcpu: 0 });
    if (!line.startsWith('panic')) return;
    expect(judge.verdict().panic).toBe('out of coffee');
  });

  test('spins with one vCPU while the others count on, and can be paused', async (context) => {
    const { judge, type, counts, until, here } = await startExampleGuest(context, { vcpuCount: 2 });
    await counts(1);
    type('spin');
    const last = (vcpu: number) => judge.verdict().vcpus[vcpu]?.last ?? 0;
    let silentSince = { vcpu0: last(0), vcpu1: last(1) };
    await until(() => {
      if (last(0) !== silentSince.vcpu0) silentSince = { vcpu0: last(0), vcpu1: last(1) };
      return last(1) >= silentSince.vcpu1 + 5;
    });
    await here().guest.pause();
    expectNothingLost(judge.verdict());
  });

  test('is as it was after 10 moves between two VMs, on 4 vCPUs', async (context) => {
    const { judge, move, counts } = await startExampleGuest(context, { vcpuCount: 4, vms: 2 });
    for (let round = 0; round < 10; round += 1) {
      await counts(1);
      await move();
    }
    await counts(2);
    expectNothingLost(judge.verdict());
  });

  test('halts at once where a vCPU starts in real mode, as a plain VM does', async (context) => {
    const { makeVm } = await requireMachine(context, Uint8Array.of(), { firmware: helloFirmware });
    const { guest, ended, console } = await (await makeVm()).start();
    guest.run();
    expect(await ended).toEqual({ kind: 'halted', vcpu: 0 });
    expect(console().length).toBe(0);
  });
});
