export { speeds } from './control.ts';
export type { Address } from './listen.ts';
export type { EndMessage, Pace, WatchMessage } from './messages.ts';
export { Pacer } from './pacer.ts';
export type { PageFacts } from './page/facts.ts';
export { startWatchServer, type WatchServer } from './server.ts';
export { watchFeed } from './watch-feed.ts';
