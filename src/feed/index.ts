export { boundConnections, type Connections } from './connections.ts';
export { type EventStream, lastSeen, openEventStream, type StreamBounds } from './event-stream.ts';
export { Feed, type FeedEntry, type FeedOptions } from './feed.ts';
