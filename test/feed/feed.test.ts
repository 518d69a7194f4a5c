import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { Feed } from '../../src/feed/index.ts';

interface Message {
  readonly of: string;
  readonly at: number;
}

const feedOf = (most?: number) =>
  new Feed<Message>({ most, standing: ({ of }) => (of === '' ? undefined : of) });
const ids = (feed: Feed<Message>, since: number) => feed.since(since).map(({ id }) => id);

describe('the feed', () => {
  propertyTest.prop([fc.nat(200), fc.nat(200)])(
    'gives whoever comes back exactly what it has missed',
    (published, seen) => {
      const feed = feedOf();
      for (let at = 0; at < published; at++) feed.publish({ of: 'web', at });
      const from = seen > published ? 0 : seen;
      expect(ids(feed, seen)).toEqual(
        Array.from({ length: published - from }, (_, at) => from + at + 1),
      );
    },
  );

  propertyTest.prop([fc.uniqueArray(fc.integer({ min: 1, max: 500 })), fc.nat(500)])(
    'does so where the numbers are others’, with gaps',
    (given, seen) => {
      const numbers = given.toSorted((one, other) => one - other);
      const feed = feedOf();
      for (const at of numbers) feed.publish({ of: '', at }, at);
      const isAhead = seen > (numbers.at(-1) ?? 0);
      expect(ids(feed, seen)).toEqual(numbers.filter((id) => isAhead || id > seen));
    },
  );

  propertyTest.prop([fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 300 })])(
    'forgets what is old, and never where something stands',
    (told) => {
      const feed = feedOf(10);
      const last = new Map<string, number>();
      for (const [at, of] of told.entries()) {
        last.set(of, at);
        feed.publish({ of, at });
      }
      const standing = new Map(
        feed
          .since(0)
          .map(({ data }) => JSON.parse(data))
          .map(({ of, at }) => [of, at]),
      );
      expect(standing).toEqual(last);
      expect(feed.since(0).length).toBeLessThanOrEqual(20 + 4);
      expect(ids(feed, 0)).toEqual(ids(feed, 0).toSorted((a, b) => a - b));
    },
  );

  test('tells each listener until it leaves', () => {
    const feed = feedOf();
    const heard: number[] = [];
    const leave = feed.subscribe(({ id }) => heard.push(id));
    expect(feed.readers).toBe(1);
    feed.publish({ of: 'web', at: 1 });
    leave();
    feed.publish({ of: 'web', at: 2 });
    expect(heard).toEqual([1]);
  });
});
