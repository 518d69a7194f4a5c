/** The runs behind the squares of the report's page: each call once, loops told once. */
import { expect, test } from 'vitest';
import { SequenceBuilder } from '../../src/cli/rehearse/page/sequences.ts';
import { callOf } from '../../src/rehearsal/index.ts';
import { fault, play } from '../rehearsal/play.ts';

test('folding loses no call: loops and repeats count up to the whole trace', async () => {
  const { trace } = await play({ kernelAbi: 'rfc-migration-v2', traced: true });
  const builder = new SequenceBuilder(trace);
  builder.add('0 0', trace, []);
  const sequence = builder.table().sequences.get('0 0') ?? [];
  let calls = 0;
  let [left, factor] = [0, 1];
  for (const [, , , , , times, loopLength, loopTimes] of sequence) {
    if (loopLength > 0) [left, factor] = [loopLength, loopTimes];
    calls += times * (left > 0 ? factor : 1);
    left -= 1;
  }
  expect(calls).toBe(trace.length);
  expect(sequence.length).toBeLessThan(150);
});

test.each([
  'TDH.MNG.KEY.CONFIG=TDX_KEY_GENERATION_FAILED',
  'TDH.VP.CREATE#3=TDX_OPERAND_BUSY|RDX',
  'KVM_CREATE_VCPU: install the fd#6=EMFILE',
  'KVM_SET_CPUID2#2=ENOMEM',
])('the row that is marked is the call where the run with %s begins to differ', async (text) => {
  const kernel = { kernelAbi: 'rfc-migration-v2', traced: true } as const;
  const { trace: undisturbed } = await play(kernel);
  const { trace } = await play({ ...kernel, faults: [text] });
  const said = ({ call }: (typeof trace)[number]) => {
    if (call.kind === 'seamcall') return `${call.leaf} ${call.status}`;
    return call.kind === 'ioctl' ? `${call.request.request} ${call.answer.ok}` : 'close';
  };
  const differs = trace.findIndex((call, index) => {
    const other = undisturbed[index];
    return other === undefined || said(call) !== said(other);
  });
  expect(callOf(trace, fault(text))).toBe(differs);

  const builder = new SequenceBuilder(undisturbed);
  builder.add('0 0', trace, [fault(text)]);
  const { strings, sequences } = builder.table();
  const marked = sequences.get('0 0')?.filter(([, , , , tone]) => strings[tone] === 'fault') ?? [];
  expect(marked).toHaveLength(1);
});
