/** A keeper whose directory cannot be written, at each of its writes: nothing is taken that nobody can know of. */
import { expect, test } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
import { asked, http, isOver, launch, recordsOf, statusOf } from './keepers.ts';

const failing = process.env.TDCTL_SWEEP === 'full' ? numbersTo(70) : [1, 3, 4, 6, 11, 24];

function numbersTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, at) => at + 1);
}

test.each(failing)(
  'write %i fails: the TD is built all the same, or nothing of it is left and it is told why',
  async (write) => {
    const name = `write-${write}`;
    try {
      await launch(asked(name), { fault: `fail-write:${write}` });
    } catch (error) {
      expect(error).toMatchObject({ code: 'TDCTL_E_NOT_WRITABLE' });
      expect((error as TdctlError).message).toContain('no space is left there');
      await launch(asked(name, { again: true }));
    }
    expect((await http(name, 'GET', '/v1/td')).body).toMatchObject({ state: 'runnable' });
    await http(name, 'POST', '/v1/td/stop');
    await isOver(name);
    expect((await statusOf(name)).td).toMatchObject({ state: 'destroyed', holdsKeySlot: false });
  },
);

test('a disk that is full from a step on: the step takes nothing, and what was taken is given back', async () => {
  const error = await launch(asked('full'), { fault: 'full-from:30' }).catch((each) => each);
  expect(error).toMatchObject({ code: 'TDCTL_E_NOT_WRITABLE' });
  expect(error).toBeInstanceOf(TdctlError);
  await isOver('full');
  const steps = (await recordsOf('full')).flatMap((record) =>
    record.kind === 'begins' ? [record.step] : [],
  );
  expect(steps.length).toBeGreaterThan(0);
  expect(steps).not.toContain('finalizing');
});
