/** One writer of a file at a time. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { takeLocks, tryLock } from '../../src/files/lock.ts';

const keys = () => [randomUUID(), randomUUID()];

test('all of the locks are taken or none, and they are free once they are released', async () => {
  const [first = '', second = ''] = keys();
  const other = await tryLock(second);
  expect(await takeLocks([first, second])).toBeUndefined();
  const free = await tryLock(first);
  expect(free).toBeDefined();
  free?.release();
  other?.release();
  const both = await takeLocks([first, second]);
  expect(both).toBeDefined();
  expect(await tryLock(first)).toBeUndefined();
  both?.release();
});

test('a lock that is let go in a moment is waited for, as that of a writer that was just killed', async () => {
  const [key = ''] = keys();
  const dying = await tryLock(key);
  const taken = takeLocks([key]);
  await delay(50);
  dying?.release();
  const lock = await taken;
  expect(lock).toBeDefined();
  lock?.release();
});
