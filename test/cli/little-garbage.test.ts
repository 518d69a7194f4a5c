/** Long input is read with little garbage, and what V8 was told for that is taken back. */
import { cachedDataVersionTag } from 'node:v8';
import { expect, test } from 'vitest';
import { withLittleGarbage } from '../../src/cli/little-garbage.ts';

const block = Array.from({ length: 1000 }, (_, at) => `line ${at} ${'.'.repeat(50)}`);

async function* blocks(count: number) {
  for (let at = 0; at < count; at += 1) yield block;
}

/** Kept code is of one version: that of V8 with its flags. */
async function versionsIn(lines: AsyncIterable<readonly string[]>): Promise<Set<number>> {
  const versions = new Set<number>();
  for await (const _ of lines) versions.add(cachedDataVersionTag());
  return versions;
}

test('the lines are those that came', async () => {
  const passed: (readonly string[])[] = [];
  for await (const lines of withLittleGarbage(blocks(3))) passed.push(lines);
  expect(passed).toEqual([block, block, block]);
});

test('flags of V8 are others while long input is read, and what they were after it', async () => {
  const before = cachedDataVersionTag();
  const during = await versionsIn(withLittleGarbage(blocks(3)));
  expect(during.has(before)).toBe(false);
  expect(cachedDataVersionTag()).toBe(before);
});

test('they are what they were also where reading is given up', async () => {
  const before = cachedDataVersionTag();
  for await (const _ of withLittleGarbage(blocks(3))) break;
  expect(cachedDataVersionTag()).toBe(before);
});

test('short input changes nothing', async () => {
  async function* short() {
    yield block.slice(0, 10);
  }
  const before = cachedDataVersionTag();
  expect(await versionsIn(withLittleGarbage(short()))).toEqual(new Set([before]));
});
