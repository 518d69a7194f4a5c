/** What is told of a TD, read from the stream of its keeper, and to the end from the journal where that has died. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { TdctlError } from '../../errors/index.ts';
import { recordsSince } from '../journal/index.ts';
import { tdFiles } from '../td-files.ts';
import { isTold, type ToldRecord } from '../told.ts';
import type { KeeperSocket } from './ask.ts';
import { type Kept, silent } from './refusals.ts';

interface Following extends Kept {
  readonly socket: KeeperSocket;
  readonly path: string;
  readonly deadlineMs: number;
  readonly since: number;
  readonly signal: AbortSignal | undefined;
}

/** Three beats of the stream (feed/event-stream.ts): a keeper that says nothing for so long stands still. */
const mostSilenceMs = 45_000;
const retryMs = 200;

export async function* eventsOf(following: Following): AsyncGenerator<ToldRecord, void> {
  const { signal } = following;
  const hasLeft = () => signal?.aborted === true;
  let last = following.since;
  while (!hasLeft()) {
    const stream = await open(following, last);
    if (stream === undefined) break;
    for await (const record of recordsIn(stream, signal)) {
      last = record.seq;
      yield record;
      if (isEnd(record) || hasLeft()) return;
    }
    // It was cut off for being slow, or its keeper has ended.
    await delay(retryMs, undefined, { signal }).catch(() => undefined);
  }
  if (hasLeft()) return;
  for (const record of restInJournal(following, last)) yield record;
}

/** A TD that has moved is told of by its next keeper. */
const isEnd = (record: ToldRecord) => record.kind === 'over' && record.outcome !== 'moved';

/** @returns undefined where its keeper is not there any more. */
async function open(following: Following, since: number): Promise<IncomingMessage | undefined> {
  const { socket, path, deadlineMs, signal } = following;
  try {
    const stream = await socket.stream({ path: `${path}?since=${since}`, deadlineMs, signal });
    stream.setTimeout(mostSilenceMs, () => stream.destroy(silent(following, mostSilenceMs)));
    return stream;
  } catch (error) {
    const isGone = error instanceof TdctlError && goneCodes.includes(error.code);
    if (!isGone && signal?.aborted !== true) throw error;
    return undefined;
  }
}

/** Of a keeper that was there before, these say that it has ended (refusals.ts). */
const goneCodes: readonly string[] = ['TDCTL_E_CONFLICT', 'TDCTL_E_NOT_FOUND'];

/** A connection that breaks is what a keeper leaves that was killed; what it had to say is in the journal. */
async function* recordsIn(
  stream: IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<ToldRecord, void> {
  const leave = () => stream.destroy();
  signal?.addEventListener('abort', leave);
  let rest = '';
  try {
    stream.setEncoding('utf8');
    for await (const chunk of stream) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines)
        if (line.startsWith(data)) yield JSON.parse(line.slice(data.length));
    }
  } catch (error) {
    if (error instanceof TdctlError) throw error;
  } finally {
    signal?.removeEventListener('abort', leave);
    stream.destroy();
  }
}

/** The records are in the lines of this field, each whole in one (feed/event-stream.ts). */
const data = 'data: ';

function restInJournal({ state, name }: Kept, last: number): readonly ToldRecord[] {
  return recordsSince(tdFiles(state, name), last).filter(isTold);
}
