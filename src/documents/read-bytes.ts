/**
 * Reads the bytes behind a path, whatever it names: a file, a pipe, a terminal, a device. Nobody holds
 * more of them than the caller asks for, and a wait for more of them ends with an interrupt.
 */
import {
  close,
  constants,
  createReadStream,
  fstat,
  fstatSync,
  open,
  readSync,
  type Stats,
} from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { promisify } from 'node:util';
import { TdctlError } from '../errors/index.ts';
import { pathInWords, standardStream } from './path-in-words.ts';

/**
 * Without O_NONBLOCK, opening a FIFO that nobody writes to would hold a thread of libuv's pool, and the
 * process could not even exit.
 */
const readOnly = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** What the system, a shell or a terminal sends to end a process. */
export const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A process has one set of signals, and so all of its reads are ended by the same. */
let interrupt: AbortSignal | undefined;

/**
 * From now on, reads end when this is aborted. Its reason is the name of what came: `SIGINT`. While nobody has
 * given one, a read listens for {@link endingSignals} itself.
 */
export function endReadsOn(signal: AbortSignal | undefined): void {
  interrupt = signal;
}

interface Listening {
  readonly signal: AbortSignal;
  readonly done: () => void;
}

/** The reads that go on at the same time listen together. */
let own = new AbortController();
let reads = 0;
const abort = (name: NodeJS.Signals) => own.abort(name);

function listen(): Listening {
  if (interrupt !== undefined) return { signal: interrupt, done: () => undefined };
  if (reads === 0) {
    own = new AbortController();
    for (const name of endingSignals) process.on(name, abort);
  }
  reads += 1;
  return {
    signal: own.signal,
    done: () => {
      reads -= 1;
      if (reads > 0) return;
      for (const name of endingSignals) process.off(name, abort);
    },
  };
}

/**
 * @throws what the system answers, with its errno as `code`; TDCTL_E_INTERRUPTED.
 */
export async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  const { signal, done } = listen();
  try {
    signal.throwIfAborted();
    const stream = path === standardStream ? process.stdin : await streamOf(path);
    yield* addAbortSignal(signal, stream) as AsyncIterable<Buffer>;
    // What was read to its end just before is given up as well: the signal was for the command.
    signal.throwIfAborted();
  } catch (cause) {
    throw signal.aborted ? interrupted(path, String(signal.reason)) : cause;
  } finally {
    done();
  }
}

/** Gives the first bytes, so many at most. @throws as {@link chunksOf}. */
export async function readUpTo(path: string, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunksOf(path)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limitBytes) break;
  }
  return Buffer.concat(chunks, Math.min(length, limitBytes));
}

/** The same for a regular file that is open, whose size says nothing where it is one of /proc. */
export function readOpenUpTo(fd: number, limitBytes: number): Buffer {
  const { size } = fstatSync(fd);
  // Most are small, and a buffer for each would be more than all of them hold.
  const isSmall = size < scratch.length;
  let buffer = isSmall ? scratch : Buffer.allocUnsafe(Math.min(size + 1, limitBytes));
  let length = 0;
  while (length < limitBytes) {
    if (length === buffer.length) buffer = Buffer.concat([buffer], 2 * length);
    const room = Math.min(buffer.length, limitBytes) - length;
    const bytesRead = readSync(fd, buffer, length, room, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const bytes = buffer.subarray(0, length);
  return buffer === scratch ? Buffer.from(bytes) : bytes;
}

/**
 * The lines of a chunk live until the last of them is judged. With four times as many, V8 takes most of them for what
 * lives long, and a process that reads a long file has a tenth more memory.
 */
const chunkBytes = 16 * 1024;
const scratch = Buffer.allocUnsafe(64 * 1024);

async function streamOf(path: string): Promise<Readable> {
  const fd = await promisify(open)(path, readOnly);
  try {
    return streamOn(fd, await promisify(fstat)(fd));
  } catch (error) {
    await promisify(close)(fd);
    throw error;
  }
}

/** What is no file needs modules of Node that most commands do without, and that are slow to load. */
function streamOn(fd: number, stat: Stats): Readable {
  if (stat.isFIFO()) {
    const { Socket } = process.getBuiltinModule('node:net');
    // libuv polls a pipe: a reader that came before any writer is told of no end until one has come.
    return new Socket({ fd, readable: true, writable: false });
  }
  if (stat.isCharacterDevice()) {
    const { isatty, ReadStream } = process.getBuiltinModule('node:tty');
    if (isatty(fd)) return new ReadStream(fd);
  }
  return createReadStream('', { fd, highWaterMark: chunkBytes });
}

function interrupted(path: string, reason: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_INTERRUPTED',
    op: 'read the input',
    place: pathInWords(path),
    message: `interrupted (${reason}) while this was read; nothing had been made`,
  });
}
