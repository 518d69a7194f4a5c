/** `tdctl logs`: what the guest of a kept TD has printed, or what its keeper has. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf } from '../../errors/errno.ts';
import { TdctlError } from '../../errors/index.ts';
import { readKeptTd } from '../../keeper/kept-tds.ts';
import { isOver } from '../../keeper/state.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import { tdFiles } from '../../keeper/td-files.ts';
import { type Interrupts, listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import { guestText } from '../run/console/guest-text.ts';
import { theTd } from './select.ts';
import { keptState } from './state-of.ts';

export interface LogsOptions {
  readonly follow?: boolean | undefined;
  /** Of the life before. */
  readonly previous?: boolean | undefined;
  /** What the keeper has said, and not the guest. */
  readonly keeper?: boolean | undefined;
}

const lookEveryMs = 100;
const pieceBytes = 64 * 1024;

export async function showLogs(name: string, options: LogsOptions, io: CommandIo): Promise<void> {
  const state = await keptState(io);
  const { life } = theTd(state, name);
  if (options.previous === true && life < 2) throw noLifeBefore(name);
  const files = tdFiles(state, name);
  const path =
    options.keeper === true
      ? files.log
      : options.previous === true
        ? files.consoleBefore
        : files.console;
  const interrupts = listenForInterrupts();
  const show = showing(io);
  try {
    // The part of it that was put aside when the log was full.
    const part = new GrowingFile(`${path}.1`);
    await pour(part, show, { io, interrupts });
    part.close();
    const log = new GrowingFile(path);
    await pour(log, show, { io, interrupts });
    if (options.follow === true) await follow(name, { state, log, show, io, interrupts });
    show.flush();
    log.close();
  } finally {
    interrupts.done();
  }
}

interface Showing {
  add(bytes: Uint8Array): void;
  flush(): void;
}

/** A pipe gets the bytes as they are. On a terminal nothing in them is an instruction to it. */
function showing(io: CommandIo): Showing {
  if (io.widths.stdout === undefined) {
    return { add: (bytes) => io.stdout.write(bytes), flush: () => undefined };
  }
  const marks = { line: '', goesOn: '' };
  const text = guestText({ io, marks, of: 'log', beforeWriting: () => undefined });
  return { add: (bytes) => text.add(bytes, 0), flush: text.flush };
}

interface Pouring {
  readonly io: CommandIo;
  readonly interrupts: Interrupts;
}

/** Whoever reads slowly is waited for, so that no more is held than a piece. */
async function pour(log: GrowingFile, show: Showing, { io, interrupts }: Pouring): Promise<void> {
  for (let bytes = log.next(); bytes.length > 0; bytes = log.next()) {
    if (interrupts.received !== undefined) return;
    show.add(bytes);
    if (io.stdout.isBehind === true) await io.stdout.settled?.();
  }
}

interface Following extends Pouring {
  readonly state: StateDirectory;
  readonly log: GrowingFile;
  readonly show: Showing;
}

/** Until the TD is over, or somebody has read enough: both are as it should be. */
async function follow(name: string, following: Following): Promise<void> {
  const { state, log, show, interrupts } = following;
  while (interrupts.received === undefined) {
    const td = readKeptTd(state, name);
    // What was written before the end was seen is there now.
    await pour(log, show, following);
    if (td === undefined || isOver(td.state)) return;
    await delay(lookEveryMs, undefined, { signal: interrupts.signal }).catch(() => undefined);
  }
}

/** A file that somebody else writes, and may not have begun yet, or begin anew. */
class GrowingFile {
  readonly #path: string;
  #fd: number | undefined;
  #at = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Empty where there is no more of it at the moment. */
  next(): Uint8Array {
    const bytes = this.#read();
    if (bytes.length > 0 || !this.#isReplaced()) return bytes;
    this.close();
    return this.#read();
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#at = 0;
  }

  #read(): Uint8Array {
    this.#fd ??= this.#open();
    if (this.#fd === undefined) return new Uint8Array();
    const piece = new Uint8Array(pieceBytes);
    const length = readSync(this.#fd, piece, 0, pieceBytes, this.#at);
    this.#at += length;
    return piece.subarray(0, length);
  }

  /** A log that is full is put aside, and a new one has its name. */
  #isReplaced(): boolean {
    if (this.#fd === undefined) return false;
    const now = statSync(this.#path, { throwIfNoEntry: false });
    return now !== undefined && now.ino !== fstatSync(this.#fd).ino;
  }

  #open(): number | undefined {
    try {
      return openSync(this.#path, 'r');
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return undefined;
      throw notReadable(this.#path, cause);
    }
  }
}

function notReadable(path: string, cause: unknown): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_READABLE',
    op: 'read a log',
    place: path,
    message: 'the log cannot be read',
    cause,
  });
}

function noLifeBefore(name: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_NOT_FOUND',
    op: 'read a log',
    message: `TD ${name} has had no life before this one`,
    hint: `\`tdctl logs ${name}\` shows this one`,
  });
}
