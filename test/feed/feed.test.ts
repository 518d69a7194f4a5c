import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { Feed } from '../../src/feed/index.ts';
import { type WatchMessage, watchFeed } from '../../src/watch/index.ts';

function entered(lane: string, state: string): WatchMessage {
  const event = { td: lane, machineVersion: 1, state: state as 'absent', elapsedMs: 0 };
  return {
    kind: 'event',
    lane,
    atMs: 0,
    usedSlots: 0,
    event: { ...event, machine: 'td-lifecycle', event: 'state.entered', transitions: [] },
  };
}

const ids = (feed: Feed<WatchMessage>, since: number) => feed.since(since).map(({ id }) => id);

describe('the feed', () => {
  propertyTest.prop([fc.nat(200), fc.nat(200)])(
    'gives whoever comes back exactly what it has missed',
    (published, seen) => {
      const feed = watchFeed();
      for (let at = 0; at < published; at++) feed.publish(entered('web', `s${at}`));
      const from = seen > published ? 0 : seen;
      expect(ids(feed, seen)).toEqual(
        Array.from({ length: published - from }, (_, at) => from + at + 1),
      );
    },
  );

  propertyTest.prop([fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 300 })])(
    'forgets what is old, and never where a lane stands',
    (lanes) => {
      const feed = watchFeed({ most: 10 });
      const last = new Map<string, string>();
      for (const [at, lane] of lanes.entries()) {
        last.set(lane, `s${at}`);
        feed.publish(entered(lane, `s${at}`));
      }
      const told = new Map(
        feed
          .since(0)
          .map(({ data }) => JSON.parse(data))
          .map(({ lane, event }) => [lane, event.state]),
      );
      expect(told).toEqual(last);
      expect(feed.since(0).length).toBeLessThanOrEqual(20 + 4);
      expect(ids(feed, 0)).toEqual(ids(feed, 0).toSorted((a, b) => a - b));
    },
  );

  test('tells each listener until it leaves', () => {
    const feed = watchFeed();
    const heard: number[] = [];
    const leave = feed.subscribe(({ id }) => heard.push(id));
    feed.publish(entered('web', 'a'));
    leave();
    feed.publish(entered('web', 'b'));
    expect(heard).toEqual([1]);
  });
});
