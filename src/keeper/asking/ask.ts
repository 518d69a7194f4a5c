/** One question to a keeper over HTTP, with a deadline. */
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { errnoOf } from '../../errors/errno.ts';
import { type ErrorData, errorOf, TdctlError } from '../../errors/index.ts';
import { socketPath } from '../../files/index.ts';
import type { StateDirectory } from '../state-directory.ts';
import { tdFiles } from '../td-files.ts';
import { closed, type Kept, noKeeper, notThere, silent } from './refusals.ts';

export interface Question {
  readonly path: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Until the answer begins, and of {@link KeeperSocket.ask} until it is whole. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The socket of one keeper. Whatever is thrown is a TdctlError. */
export interface KeeperSocket {
  /** The whole answer. */
  ask(question: Question): Promise<string>;
  /** An answer that goes on. */
  stream(question: Question): Promise<IncomingMessage>;
  upgrade(question: Question, protocol: string): Promise<Duplex>;
  /** The same, with the headers of the answer. */
  upgraded(question: Question, protocol: string): Promise<Upgraded>;
  close(): void;
}

export interface Upgraded {
  readonly socket: Duplex;
  readonly headers: IncomingMessage['headers'];
}

/** These come of a keeper that is not there any more, or not yet. */
const gone = ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'];
/** It was there as it was asked. */
const reset = ['ECONNRESET', 'EPIPE'];

/** The calls of a command come one after the other, over one connection. */
export function keeperSocket(state: StateDirectory, name: string): KeeperSocket {
  const kept: Kept = { state, name };
  const { socket: path } = tdFiles(state, name);
  let reached: ReturnType<typeof socketPath>;
  try {
    reached = socketPath(path);
  } catch (error) {
    throw inWords(error, kept);
  }
  const agent = new Agent({ keepAlive: true });

  async function begin(question: Question, protocol?: string): Promise<Begun> {
    const { method = 'GET', headers = {}, body, deadlineMs, signal } = question;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), deadlineMs);
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const upgrade = protocol === undefined ? {} : { connection: 'Upgrade', upgrade: protocol };
    const asked = request({
      socketPath: reached.path,
      // A connection that is given away, or that goes on, is of no use to the next question.
      agent: protocol === undefined ? agent : false,
      path: question.path,
      method,
      headers: { ...headers, ...json, ...upgrade },
    });
    // After a stream was given up there is nobody who waits for an error.
    const giveUp = () => asked.destroy(new Error('given up'));
    late.signal.addEventListener('abort', giveUp);
    signal?.addEventListener('abort', giveUp);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    const settled = () => clearTimeout(timer);
    try {
      if (signal?.aborted === true) giveUp();
      return { ...(await answerTo(asked)), settled, isLate: () => late.signal.aborted };
    } catch (error) {
      settled();
      throw late.signal.aborted ? silent(kept, deadlineMs) : inWords(error, kept);
    }
  }
  async function whole({ response, isLate }: Begun, question: Question): Promise<string> {
    try {
      return await text(response);
    } catch (error) {
      throw isLate() ? silent(kept, question.deadlineMs) : inWords(error, kept);
    }
  }
  async function check(begun: Begun, question: Question): Promise<void> {
    const { response, settled } = begun;
    if (response.statusCode === 200 || response.statusCode === 202) return;
    try {
      throw refusalIn(await whole(begun, question), kept);
    } finally {
      settled();
    }
  }
  async function upgraded(question: Question, protocol: string): Promise<Upgraded> {
    const begun = await begin(question, protocol);
    const { socket, response } = begun;
    if (socket === undefined) await check(begun, question);
    begun.settled();
    if (socket !== undefined) return { socket, headers: response.headers };
    response.destroy();
    throw noKeeper(kept);
  }
  return {
    async ask(question) {
      const begun = await begin(question);
      try {
        await check(begun, question);
        return await whole(begun, question);
      } finally {
        begun.settled();
      }
    },
    async stream(question) {
      const begun = await begin(question);
      await check(begun, question);
      begun.settled();
      return begun.response;
    },
    upgrade: async (question, protocol) => (await upgraded(question, protocol)).socket,
    upgraded,
    close() {
      agent.destroy();
      reached.release();
    },
  };
}

interface Begun {
  readonly response: IncomingMessage;
  /** Of an upgrade. */
  readonly socket?: Duplex;
  readonly settled: () => void;
  readonly isLate: () => boolean;
}

function answerTo(asked: ReturnType<typeof request>): Promise<Pick<Begun, 'response' | 'socket'>> {
  return new Promise((resolve, reject) => {
    asked.on('error', reject);
    asked.on('response', (response: IncomingMessage) => resolve({ response }));
    asked.on('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve({ response, socket });
    });
  });
}

function refusalIn(body: string, kept: Kept): TdctlError {
  try {
    const { kind, error } = JSON.parse(body) as { kind?: string; error: ErrorData };
    if (kind === 'tdctl.Error') return errorOf(error);
  } catch {
    // It is told below.
  }
  return noKeeper(kept);
}

function inWords(error: unknown, kept: Kept): TdctlError {
  if (error instanceof TdctlError) return error;
  const errno = errnoOf(error) ?? '';
  if (gone.includes(errno)) return notThere(kept);
  if (reset.includes(errno)) return closed(kept);
  // The queue of a keeper that takes no connection is full.
  if (errno === 'EAGAIN') return silent(kept, 0);
  if (errno.startsWith('HPE_')) return noKeeper(kept);
  return notThere(kept, error);
}
