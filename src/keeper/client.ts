/** The other end of a keeper's socket, which `tdctl` itself speaks through. docs/keeper-api.md is the contract. */
import type { Duplex } from 'node:stream';
import { consoleFromHeader, consoleProtocol } from './api/protocol.ts';
import type { Acted } from './api/surface.ts';
import type { KeptVerb } from './api/verbs.ts';
import { keeperSocket } from './asking/ask.ts';
import { eventsOf } from './asking/events.ts';
import { noKeeper } from './asking/refusals.ts';
import { commonVersion } from './asking/version.ts';
import type { Greeting } from './greeting.ts';
import { type ApiRange, apiRange } from './identity.ts';
import type { KeptTd } from './kept-td.ts';
import { moveProtocol } from './move/protocol.ts';
import type { MoveReport } from './move/report.ts';
import type { StateDirectory } from './state-directory.ts';
import type { ToldRecord } from './told.ts';

/**
 * Each call throws TdctlError: what the keeper has answered, TDCTL_E_NOT_ANSWERING after its deadline, and what was
 * concluded of a keeper that is gone.
 */
export interface KeeperClient {
  readonly greeting: Greeting;
  /** The version of the API that both speak. */
  readonly version: number;
  td(options?: Deadline): Promise<KeptTd>;
  /** Resolves as KeptSurface.act does: of `stop` and `kill`, once the teardown has begun. */
  act(
    verb: KeptVerb,
    options?: Deadline & { readonly graceMs?: number | undefined },
  ): Promise<Acted>;
  /**
   * What is told of the TD from that record on, the kept history first. It ends with the TD; where the keeper has
   * died, the rest comes from the journal.
   */
  events(options?: EventsAsked): AsyncIterable<ToldRecord>;
  /** What the guest prints from now on, or from that byte of the log on, and what is typed to it. */
  console(options?: { readonly from?: number | undefined } & Deadline): Promise<ConsoleLine>;
  /** What two keepers say to each other, in this version of it. */
  move(version: number, options?: Deadline): Promise<Duplex>;
  /** Has the keeper begin the next one, where it is in a unit of systemd, and the TD move to that. */
  next(
    program: string,
    options: { readonly deadlineMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<MoveReport>;
  /** OpenMetrics text. */
  metrics(options?: Deadline): Promise<string>;
  /** Lets the connections go. */
  close(): void;
}

/** The connection to a console, and the byte of the log that comes first on it; undefined of a keeper that tells none. */
export type ConsoleLine = Duplex & { readonly from: number | undefined };

export interface Deadline {
  readonly deadlineMs?: number | undefined;
}

export interface EventsAsked extends Deadline {
  /** The seq of the last record that is known already. */
  readonly since?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ConnectOptions extends Deadline {
  /** The versions that this side speaks. */
  readonly speaks?: ApiRange | undefined;
}

/** For what a keeper has at hand: a list must not hang on one that stands still. */
const usualMs = 250;
/** For what the TD has to come to first: a vCPU leaves its guest soon, and the machine may be busy. */
const usualActMs = 10_000;

/** @throws TdctlError as above, and TDCTL_E_API_VERSION. */
export async function connectTd(
  state: StateDirectory,
  name: string,
  { deadlineMs: patience = usualMs, speaks = apiRange }: ConnectOptions = {},
): Promise<KeeperClient> {
  const socket = keeperSocket(state, name);
  const kept = { state, name };
  const read = async <Content>(question: Parameters<typeof socket.ask>[0], kind: string) => {
    const { kind: found, version: _, ...content } = parse(await socket.ask(question));
    if (found !== kind) throw noKeeper(kept);
    return content as Content;
  };
  const parse = (text: string): { kind?: unknown; version?: unknown } => {
    try {
      return JSON.parse(text);
    } catch {
      throw noKeeper(kept);
    }
  };
  try {
    const greeting = await read<Greeting>({ path: '/v1', deadlineMs: patience }, 'tdctl.Keeper');
    const version = commonVersion(greeting, speaks);
    const below = `/v${version}`;
    return {
      greeting,
      version,
      td: ({ deadlineMs = patience } = {}) =>
        read<KeptTd>({ path: `${below}/td`, deadlineMs }, 'tdctl.Td'),
      act: (verb, { deadlineMs = Math.max(patience, usualActMs), graceMs } = {}) => {
        const body = graceMs === undefined ? undefined : { graceMs };
        const path = `${below}/td/${verb}`;
        return read<Acted>({ path, method: 'POST', body, deadlineMs }, 'tdctl.Acted');
      },
      events: ({ since = 0, signal, deadlineMs = Math.max(patience, usualActMs) } = {}) =>
        eventsOf({ ...kept, socket, path: `${below}/events`, since, signal, deadlineMs }),
      console: async ({ from, deadlineMs = patience } = {}) => {
        const path = `${below}/console${from === undefined ? '' : `?from=${from}`}`;
        const line = await socket.upgraded({ path, deadlineMs }, consoleProtocol);
        const first = line.headers[consoleFromHeader];
        return Object.assign(line.socket, {
          from: first === undefined ? undefined : Number(first),
        });
      },
      move: (asked, { deadlineMs = patience } = {}) =>
        socket.upgrade({ path: `${below}/move?version=${asked}`, deadlineMs }, moveProtocol),
      next: async (program, { deadlineMs, signal }) => {
        const path = `${below}/next`;
        const question = { path, method: 'POST', body: { program }, deadlineMs, signal } as const;
        const { name: _, ...report } = await read<MoveReport & { name: string }>(
          question,
          'tdctl.TdMove',
        );
        return report;
      },
      metrics: ({ deadlineMs = patience } = {}) =>
        socket.ask({ path: `${below}/metrics`, deadlineMs }),
      close: socket.close,
    };
  } catch (error) {
    socket.close();
    throw error;
  }
}
