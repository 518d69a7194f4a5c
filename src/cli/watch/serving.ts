/** The page of `tdctl watch` from the side of its command. */
import type { Feed } from '../../feed/index.ts';
import { kindInWords } from '../../host/identity.ts';
import {
  type Address,
  type Pacer,
  type PageFacts,
  startWatchServer,
  type WatchMessage,
  type WatchServer,
} from '../../watch/index.ts';
import { watchPage } from '../../watch/page/page.ts';
import type { Interrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { say } from '../output/print.ts';

interface Served {
  readonly facts: PageFacts;
  readonly feed: Feed<WatchMessage>;
  readonly pacer: Pacer | undefined;
}

/** Serves the page, and says where. @throws TdctlError TDCTL_E_ADDRESS. */
export async function servePage(
  address: Address,
  { facts, feed, pacer }: Served,
  io: CommandIo,
): Promise<WatchServer> {
  const page = await watchPage(facts);
  const server = await startWatchServer({ address, feed, pacer, page });
  const socket = 'socket' in address ? address.socket : undefined;
  say(io, invitation(server, { facts, socket }));
  return server;
}

function invitation(
  { url, token }: WatchServer,
  { facts, socket }: { readonly facts: PageFacts; readonly socket: string | undefined },
): string {
  const what = `watch ${facts.host}, ${kindInWords({ name: facts.host })},`;
  if (url !== undefined) return `${what} at ${url}`;
  return `${what} on ${socket}, path /${token}/ (as with \`ssh -L 8080:${socket} …\` and http://localhost:8080/${token}/)`;
}

/** @param what is over, as a clause */
export async function untilInterrupted(
  interrupts: Interrupts,
  { what, io }: { readonly what: string; readonly io: CommandIo },
): Promise<void> {
  if (interrupts.received !== undefined) return;
  say(io, `${what}; the page stays until Ctrl-C`);
  await new Promise<void>((resolve) => interrupts.onInterrupt(() => resolve()));
}
