/** What a rehearsal hears of the example guest. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { HeardGuest } from '../../src/rehearsal/heard-guest.ts';
import { helloPlan } from '../support/hello-plan.ts';

const simulated = await helloPlan('rfc-migration-v2');
const plan = { ...simulated, facts: { ...simulated.facts, kind: 'soft' as const } };

function heardGuest() {
  const guest = new HeardGuest(plan);
  const says = (text: string, lostBytes = 0) => guest.console.console(Buffer.from(text), lostBytes);
  return { guest, says };
}

test('bytes that were lost, counts that are missing and lines that were spoilt are told, each once', () => {
  const { guest, says } = heardGuest();
  says('hello from vcpu 0 of a plain VM\r\nvcpu 0 count 1\r\n');
  expect(guest.newlyMissed()).toEqual([]);
  says('vcpu 0 count 3\r\nvcpu 0 LOST r12\r\nvcpu ');
  expect(guest.newlyMissed()).toEqual(['vCPU 0 lost r12', 'vCPU 0 counts 3 after 1']);
  says('# count 4\r\n', 16);
  expect(guest.newlyMissed()).toEqual([
    'a line was garbled: "vcpu # count 4"',
    '16 bytes were lost',
  ]);
  says('the rest of it\r\nvcpu 0 count 9\r\n');
  expect(guest.newlyMissed()).toEqual(['vCPU 0 counts 9 after 3']);
  expect(guest.newlyMissed()).toEqual([]);
});

test('a guest that starts anew in the middle of its life is told', () => {
  const { guest, says } = heardGuest();
  says('hello from vcpu 2 of a plain VM\r\nvcpu 2 count 1\r\n');
  says('hello from vcpu 2 of a plain VM\r\nvcpu 2 count 1\r\n');
  expect(guest.newlyMissed()).toEqual(['vCPU 2 counts 1 after 1', 'vCPU 2 has started anew']);
});

test('the vCPUs that do not count are those that are silent, however often the others do', async () => {
  const { guest, says } = heardGuest();
  let count = 0;
  const untilNextLook = async () => {
    count += 1;
    says(`vcpu 0 count ${count}\r\nvcpu 3 count ${count}\r\n`);
    await nextTurn();
  };
  expect(await guest.silentVcpus([0, 1, 2, 3], { looks: 3, untilNextLook })).toEqual([1, 2]);
});

test('nobody is silent once each has counted, and none is waited for that has no memory in the guest', async () => {
  const { guest, says } = heardGuest();
  const untilNextLook = () => new Promise<void>(() => {});
  const silent = guest.silentVcpus([0, 1, 16, 17], { untilNextLook });
  says('vcpu 0 count 1\r\nvcpu 1 count 1\r\n');
  expect(await silent).toEqual([]);
});
