/**
 * What a keeper answers, as data: the OpenAPI document (cli/output/contract/keeper-api.ts) and the server are made of
 * this one table. It needs no zod, which a keeper never loads.
 */
import { isAbsolute } from 'node:path';
import type { Duplex } from 'node:stream';
import {
  type EventStream,
  lastSeen,
  openEventStream,
  type StreamBounds,
} from '../../feed/index.ts';
import type { Greeting } from '../greeting.ts';
import { moveProtocol } from '../move/protocol.ts';
import { commonMoveVersion } from '../move/version.ts';
import { isOver } from '../state.ts';
import { type ConsoleBounds, consoleFrom, openConsole, sendConsoleLog } from './console.ts';
import { type Exchange, type Field, type Fields, sendDocument, sendText } from './exchange.ts';
import { metricsText, metricsType } from './metrics.ts';
import { consoleFromHeader, consoleProtocol } from './protocol.ts';
import { Refusal } from './refusal.ts';
import type { Streams } from './streams.ts';
import type { KeptSurface, Peer } from './surface.ts';
import { endsLife, type KeptVerb, keptVerbs } from './verbs.ts';

export interface Route {
  readonly method: 'GET' | 'POST';
  /** Below `/vN`. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly query?: Fields;
  /** Of the body. */
  readonly takes?: Fields;
  /** What it answers with, by status; its refusals are the same of all. */
  readonly answers: Readonly<Record<number, AnswerForm>>;
  answer(asked: Asked): void | Promise<void>;
  /** Answers whoever asks for another protocol on the connection. */
  readonly upgrade?: {
    readonly protocol: string;
    readonly summary: string;
    /** @throws TdctlError before anything is changed. */
    check?(asked: Upgrading): void;
    /** Beside those of the upgrade itself. */
    headers?(asked: Upgrading): Readonly<Record<string, number>>;
    open(asked: Upgrading): void;
  };
}

export interface AnswerForm {
  readonly summary: string;
  readonly type: string;
  /** The kind of the document, where it is one. */
  readonly kind?: `tdctl.${string}`;
  /** What the data of its events are. */
  readonly events?: 'toldRecord';
}

export interface Serving {
  readonly surface: KeptSurface;
  readonly greeting: Greeting;
  readonly streams: Streams;
  readonly bounds: { readonly events: StreamBounds; readonly console: ConsoleBounds };
  /** The text of GET /v1/openapi.json; undefined where the file of the package is not there. */
  readonly openApi: Buffer | undefined;
}

export interface Asked extends Exchange, Serving {
  readonly by: Peer | undefined;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Upgrading extends Serving {
  readonly socket: Duplex;
  readonly query: Readonly<Record<string, string>>;
}

const json = 'application/json';

const wholeNumber = (description: string) => ({
  wanted: 'a whole number from 0 up',
  description,
  schema: { type: 'integer', minimum: 0 } as const,
  is: (value: unknown) => typeof value === 'string' && /^\d{1,15}$/.test(value),
});

const keeperProgramField: Field = {
  wanted: 'the absolute path of dist/keeper.js of a tdctl',
  description: 'dist/keeper.js of the tdctl whose keeper takes the TD over, by its absolute path.',
  schema: { type: 'string' },
  is: (value) => typeof value === 'string' && isAbsolute(value),
};

const mostGraceMs = 24 * 60 * 60 * 1000;

const verbFields: Readonly<Partial<Record<KeptVerb, Fields>>> = {
  stop: {
    graceMs: {
      wanted: `a number of milliseconds from 0 to ${mostGraceMs}`,
      description: 'How long the guest has to end by itself before the TD is taken down.',
      schema: { type: 'number', minimum: 0, maximum: mostGraceMs },
      is: (value) => typeof value === 'number' && value >= 0 && value <= mostGraceMs,
    },
  },
};

function verbRoute(verb: KeptVerb): Route {
  const acted = { type: json, kind: 'tdctl.Acted' } as const;
  return {
    method: 'POST',
    path: `/td/${verb}`,
    id: verb,
    summary: keptVerbs[verb],
    takes: verbFields[verb] ?? {},
    answers: {
      200: { ...acted, summary: 'It is so now, or was so already.' },
      ...(endsLife(verb)
        ? { 202: { ...acted, summary: 'It has begun, and is not over yet.' } }
        : {}),
    },
    answer: async (asked) => {
      const { graceMs } = asked.body;
      const { td, changed } = await asked.surface.act(verb, {
        by: asked.by,
        graceMs: typeof graceMs === 'number' ? graceMs : undefined,
      });
      const status = endsLife(verb) && !isOver(td.state) ? 202 : 200;
      sendDocument(asked, status, { kind: 'tdctl.Acted', version: 1, ...{ changed, td } });
    },
  };
}

export const routes: readonly Route[] = [
  {
    method: 'GET',
    path: '',
    id: 'greeting',
    summary: 'Who keeps the TD, and which versions of this API it speaks.',
    answers: {
      200: { type: json, kind: 'tdctl.Keeper', summary: 'The same form in every version.' },
    },
    answer: (asked) =>
      sendDocument(asked, 200, { kind: 'tdctl.Keeper', version: 1, ...asked.greeting }),
  },
  {
    method: 'GET',
    path: '/td',
    id: 'td',
    summary: 'The TD as it stands at this moment.',
    answers: { 200: { type: json, kind: 'tdctl.Td', summary: 'What `tdctl show` prints.' } },
    answer: async (asked) => {
      const td = await asked.surface.td();
      sendDocument(asked, 200, { kind: 'tdctl.Td', version: 1, ...td });
    },
  },
  ...(Object.keys(keptVerbs) as KeptVerb[]).map(verbRoute),
  {
    method: 'GET',
    path: '/events',
    id: 'events',
    summary:
      'What is told of the TD, the kept history first, as Server-Sent Events. The id of each is its seq in the journal; `last-event-id`, as a browser sends it, stands for `since`.',
    query: { since: wholeNumber('The seq of the last record that is known already.') },
    answers: {
      200: {
        type: 'text/event-stream',
        events: 'toldRecord',
        summary: 'The data of each is a record in JSON. The stream ends with the keeper.',
      },
    },
    answer: ({ request, response, query, streams, surface, bounds }) => {
      streams.checkRoom();
      const since = query.since === undefined ? lastSeen(request) : Number(query.since);
      const stream: EventStream = openEventStream({ request, response }, surface.feed, {
        ...bounds.events,
        since,
      });
      response.once('close', streams.add(stream));
    },
  },
  {
    method: 'GET',
    path: '/console',
    id: 'console',
    summary: 'What the guest has printed.',
    query: { from: wholeNumber('The byte of the log to begin with.') },
    answers: {
      200: {
        type: 'text/plain; charset=utf-8',
        summary: 'Bytes as they were printed. `tdctl-console-end` is where to go on from.',
      },
    },
    answer: ({ response, query, surface }) =>
      sendConsoleLog(response, surface.console, Number(query.from ?? 0)),
    upgrade: {
      protocol: consoleProtocol,
      summary:
        'The connection carries what the guest prints from now on, or from that byte of the log on, and what is typed to it, as they are. `tdctl-console-from` is the byte that comes first. Where the TD moves to another keeper, the connection ends, and that keeper goes on from the next byte.',
      headers: ({ query, surface }) => ({
        [consoleFromHeader]: consoleFrom(surface.console, query.from),
      }),
      open: ({ socket, query, streams, surface, bounds }) => {
        const from = query.from === undefined ? undefined : Number(query.from);
        const stream = openConsole(socket, surface.console, { from, bounds: bounds.console });
        socket.once('close', streams.add(stream));
      },
    },
  },
  {
    method: 'GET',
    path: '/move',
    id: 'move',
    summary: 'The way by which the TD moves to another keeper; it is only for keepers.',
    query: {
      version: wholeNumber(
        'The version of the protocol: the highest that `GET /v1` and the other keeper have.',
      ),
    },
    answers: { 426: { type: json, kind: 'tdctl.Error', summary: 'Without an upgrade, always.' } },
    answer: () => {
      throw new Refusal(426, {
        message: 'only another keeper asks for this, on a connection of its own',
        hint: '`tdctl migrate` moves a TD',
        headers: { upgrade: moveProtocol },
      });
    },
    upgrade: {
      protocol: moveProtocol,
      summary:
        'The connection carries what two keepers say to each other about the move of a TD (docs/migration.md).',
      check: ({ query, surface, greeting }) => {
        const version = Number(query.version ?? 0);
        commonMoveVersion(greeting, { oldest: version, newest: version });
        surface.move.check();
      },
      open: ({ socket, surface, streams }) => {
        socket.once('close', streams.addLast(surface.move.open(socket)));
      },
    },
  },
  {
    method: 'POST',
    path: '/next',
    id: 'next',
    summary:
      'Begins another keeper in the unit of systemd that this one is in, and moves the TD to it. `tdctl migrate` asks for it.',
    takes: { program: keeperProgramField },
    answers: {
      200: { type: json, kind: 'tdctl.TdMove', summary: 'What `tdctl migrate` prints.' },
    },
    answer: async (asked) => {
      const { beginNext, name } = asked.surface;
      if (beginNext === undefined) {
        throw new Refusal(409, {
          code: 'TDCTL_E_CONFLICT',
          message: `TD ${name} is in no unit of systemd: its next keeper is begun by whoever moves it`,
          hint: '`tdctl migrate` moves it',
        });
      }
      const { program } = asked.body;
      if (typeof program !== 'string') {
        throw new Refusal(400, {
          message: 'the body does not say which program the next keeper is of',
          hint: 'send `{"program": "/…/dist/keeper.js"}`',
        });
      }
      const report = await beginNext(program);
      sendDocument(asked, 200, { kind: 'tdctl.TdMove', version: 1, ...{ name, ...report } });
    },
  },
  {
    method: 'GET',
    path: '/metrics',
    id: 'metrics',
    summary: 'The TD in numbers, for Prometheus.',
    answers: { 200: { type: metricsType, summary: 'OpenMetrics text, version 1.0.0.' } },
    answer: async ({ response, surface }) => {
      const text = metricsText(await surface.td(), surface.metrics());
      sendText({ response }, 200, { type: metricsType, text });
    },
  },
  {
    method: 'GET',
    path: '/openapi.json',
    id: 'openapi',
    summary: 'This description.',
    answers: { 200: { type: json, summary: 'An OpenAPI 3.1 document.' } },
    answer: ({ response, openApi }) => {
      if (openApi === undefined) {
        throw new Refusal(404, {
          code: 'TDCTL_E_NOT_FOUND',
          message: 'the description of the API was not there when this keeper began',
          hint: 'it is schema/keeper-api.openapi.json of the package',
        });
      }
      sendText({ response }, 200, { type: json, text: openApi });
    },
  },
];
