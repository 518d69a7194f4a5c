/** `tdctl watch NAME`: a kept TD, shown while somebody else keeps it. */
import { existsSync } from 'node:fs';
import { dnsLabel } from '../../documents/name.ts';
import { type ExitCode, exitCodes } from '../../errors/index.ts';
import { connectTd, type KeeperClient } from '../../keeper/client.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import { readKeptTd } from '../../keeper/kept-tds.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import type { ToldRecord } from '../../keeper/told.ts';
import { type EndMessage, type PageFacts, type WatchServer, watchFeed } from '../../watch/index.ts';
import { listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { awaitTd } from '../kept/await.ts';
import { howItEnded } from '../kept/how-it-ended.ts';
import { noSuchTd } from '../kept/select.ts';
import { keptState } from '../kept/state-of.ts';
import { say } from '../output/print.ts';
import { uselessOption } from '../useful-options.ts';
import { addressOf, type WatchCommandOptions } from './options.ts';
import { servePage, untilInterrupted } from './serving.ts';
import { treeView } from './tree-view.ts';

/** A machine may be busy, and whoever watches is patient. */
const deadlineMs = 5000;

/**
 * @returns undefined where the word names a file, which may be one that is called as no TD is.
 * @throws TdctlError TDCTL_E_NOT_FOUND where there is neither.
 */
export async function keptTdNamed(word: string, io: CommandIo): Promise<KeptTd | undefined> {
  if (!dnsLabel.test(word)) return undefined;
  const state = await keptState(io);
  const td = readKeptTd(state, word);
  if (td === undefined && !existsSync(word)) throw noSuchTd(state, word);
  return td;
}

/** Ends well with the TD: 0 where that was taken down as asked. Ctrl-C leaves it to its keeper. */
export async function watchKept(
  { name }: KeptTd,
  options: WatchCommandOptions,
  io: CommandIo,
): Promise<ExitCode> {
  refuseRunOptions(options);
  const address = addressOf(options);
  const interrupts = listenForInterrupts();
  try {
    const state = await keptState(io);
    const client = await connectTd(state, name, { deadlineMs });
    let server: WatchServer | undefined;
    try {
      const feed = watchFeed();
      const facts = factsOf(await client.td());
      if (address !== undefined) {
        server = await servePage(address, { facts, feed, pacer: undefined }, io);
      }
      const tree = options.tree === true ? treeView(io) : undefined;
      const end = await follow(client, {
        ...{ state, name, signal: interrupts.signal },
        take: (record) => {
          const recorded = recordedEvent(record);
          if (recorded === undefined) return;
          feed.publish({ kind: 'event', ...recorded });
          tree?.take(recorded);
        },
      });
      tree?.end();
      if (interrupts.received !== undefined) {
        say(io, `left TD ${name} to its keeper`);
        return exitCodes.ok;
      }
      const { text, exitCode } = await endMessage(end, { state, name, signal: interrupts.signal });
      feed.publish({ kind: 'end', text, exitCode });
      for (const line of text.split('\n')) say(io, line);
      if (server !== undefined && options.untilEnd !== true) {
        await untilInterrupted(interrupts, { what: 'the TD is over', io });
      }
      return exitCode;
    } finally {
      await server?.close();
      client.close();
    }
  } finally {
    interrupts.done();
  }
}

/** These are for a run that the command begins itself. */
const runOptions = [
  'host',
  'kernel',
  'speed',
  'paused',
  'hops',
  'count',
  'slotsLeft',
  'unchecked',
  'destinationVcpus',
] as const satisfies readonly (keyof WatchCommandOptions)[];

function refuseRunOptions(options: WatchCommandOptions): void {
  const given = runOptions.find((each) => options[each] !== undefined);
  const option = given ?? (options.fault?.length ? 'fault' : undefined);
  if (option === undefined) return;
  const dashed = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw uselessOption(`--${dashed}`, 'the TD is kept by another process and goes at its own pace');
}

function factsOf({ name, host, kernel }: KeptTd): PageFacts {
  const unknown = { canHold: false, totalSlots: undefined };
  return { name, host: host?.name ?? 'a host', kernel: kernel?.id ?? '', ...unknown };
}

interface Following extends Ending {
  readonly take: (record: ToldRecord) => void;
}

type Over = Extract<ToldRecord, { kind: 'over' }>;

/** @returns the last word of its keeper; undefined where that was not to be had. */
async function follow(
  client: KeeperClient,
  { state, name, signal, take }: Following,
): Promise<Over | undefined> {
  let over: Over | undefined;
  try {
    for await (const record of client.events({ signal, deadlineMs })) {
      take(record);
      if (record.kind === 'over') over = record;
    }
  } catch (error) {
    // One that is killed answers no more, and is seen to be gone a moment later.
    const seen = await awaitTd(state, { name, until: hasNoKeeper, signal, timeoutMs: mostDyingMs });
    if (seen.ended !== 'reached') throw error;
  }
  return over;
}

const hasNoKeeper = (td: KeptTd | undefined) => td?.keeper?.lives !== true;
const mostDyingMs = 1000;

/** The page shows the chart, which the other records are not about. */
function recordedEvent(record: ToldRecord) {
  if (record.kind !== 'event') return undefined;
  const { told: event } = record;
  return { lane: event.td, atMs: event.elapsedMs, event, usedSlots: undefined };
}

async function endMessage(
  over: Over | undefined,
  { state, name, signal }: Ending,
): Promise<Pick<EndMessage, 'text' | 'exitCode'> & { readonly exitCode: ExitCode }> {
  const how = await howItEnded(state, name, signal);
  // Without a last word, what is concluded of its keeper says more than the state.
  const notes = over === undefined ? (readKeptTd(state, name)?.notes ?? []) : [];
  const text = [`TD ${name}: ${how}`, ...notes].join('\n');
  return { text, exitCode: over?.outcome === 'destroyed' ? exitCodes.ok : exitCodes.failed };
}

interface Ending {
  readonly state: StateDirectory;
  readonly name: string;
  readonly signal: AbortSignal;
}
