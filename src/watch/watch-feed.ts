/** The history of a run: whoever comes late learns where each lane stands, however long ago that was told. */
import { Feed, type FeedOptions } from '../feed/index.ts';
import type { WatchMessage } from './messages.ts';

export function watchFeed({ most }: Pick<FeedOptions<WatchMessage>, 'most'> = {}) {
  return new Feed<WatchMessage>({ most, standing: enteredLane });
}

function enteredLane(message: WatchMessage): string | undefined {
  return message.kind === 'event' && message.event.event === 'state.entered'
    ? message.lane
    : undefined;
}
