/** The runs behind the squares of the report's page: each call once, loops told once. */
import { expect, test } from 'vitest';
import { SequenceBuilder } from '../../src/cli/rehearse/page/sequences.ts';
import { play } from '../rehearsal/play.ts';

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
