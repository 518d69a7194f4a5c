import { expect, test } from 'vitest';
import { Typing } from '../../../src/guest/index.ts';
import { until } from '../../support/processes.ts';

test('a guest that takes little gets every byte in order, and who types waits meanwhile', async () => {
  const taken: number[] = [];
  let room = 0;
  const waits: boolean[] = [];
  const source = { pause: () => waits.push(true), resume: () => waits.push(false) };
  const typing = new Typing((bytes) => {
    const some = bytes.subarray(0, room);
    taken.push(...some);
    room = 0;
    return some.length;
  });
  typing.type(Buffer.from('abc'), source);
  expect(taken).toEqual([]);
  expect(waits.at(-1)).toBe(true);
  room = 2;
  await until(() => taken.length === 2);
  expect(waits.at(-1)).toBe(true);
  room = 5;
  await until(() => taken.length === 3);
  expect(Buffer.from(taken).toString()).toBe('abc');
  await until(() => waits.at(-1) === false);
  typing.end();
});

test('after the end nothing is handed on, and the source may go on', async () => {
  let isWaiting = false;
  const source = {
    pause: () => {
      isWaiting = true;
    },
    resume: () => {
      isWaiting = false;
    },
  };
  let asked = 0;
  const typing = new Typing(() => {
    asked += 1;
    return 0;
  });
  typing.type(Buffer.from('abc'), source);
  typing.end();
  expect(isWaiting).toBe(false);
  typing.type(Buffer.from('abc'), source);
  expect(asked).toBe(1);
});
