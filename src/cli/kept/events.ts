/** `tdctl events`: what has happened to kept TDs, and what happens. The journals say it, whoever is alive. */
import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { dataValue } from '../../documents/data-values.ts';
import { readJournal } from '../../keeper/journal/index.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import { readKeptTd } from '../../keeper/kept-tds.ts';
import { isOver } from '../../keeper/state.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import { type TdFiles, tdFiles } from '../../keeper/td-files.ts';
import { isTold, type ToldRecord } from '../../keeper/told.ts';
import { durationOf } from '../duration.ts';
import { listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import type { Content } from '../output/contract/index.ts';
import { documentOf } from '../output/data.ts';
import { print } from '../output/print.ts';
import { sanitize } from '../output/sanitize.ts';
import { recordInWords } from './record-in-words.ts';
import { noSuchTd, type Selection, select, selectTds } from './select.ts';
import { keptState } from './state-of.ts';

export interface EventsOptions extends Omit<Selection, 'names'> {
  readonly follow?: boolean | undefined;
  /** A seq that is known already, or a time that has gone by. */
  readonly since?: string | undefined;
  readonly output: OutputFormat;
}

const lookEveryMs = 200;

export interface TdRecord {
  readonly td: string;
  readonly record: ToldRecord;
}

export async function showEvents(
  names: readonly string[],
  options: EventsOptions,
  io: CommandIo,
): Promise<void> {
  const state = await keptState(io);
  const isWanted = wantedSince(options.since);
  const readers = readersOf(state, { ...options, names });
  const interrupts = listenForInterrupts();
  try {
    do {
      const told = readers.next().filter(({ record }) => isWanted(record));
      for (const each of told) printRecord(each, options.output, io);
      if (options.follow !== true || readers.areOver) return;
      await delay(lookEveryMs, undefined, { signal: interrupts.signal }).catch(() => undefined);
    } while (interrupts.received === undefined);
  } finally {
    interrupts.done();
  }
}

interface Readers {
  /** What has come since the last time, of all TDs in the order of time. */
  next(): readonly TdRecord[];
  /** Nothing comes any more from those that were named. Others may be created. */
  readonly areOver: boolean;
}

function readersOf(state: StateDirectory, selection: Selection): Readers {
  const { names } = selection;
  // Who names nobody is told of all, also of those to come.
  const named = names.length === 0 ? undefined : select(state, selection);
  for (const { name, td } of named ?? []) if (td === undefined) throw noSuchTd(state, name);
  const journals = new Map<string, JournalReader>();
  const read = (name: string) => {
    const journal = journals.get(name) ?? new JournalReader(tdFiles(state, name));
    journals.set(name, journal);
    return journal.next().map((record): TdRecord => ({ td: name, record }));
  };
  let areOver = false;
  return {
    next() {
      const wanted =
        named?.map(({ name }) => name) ?? selectTds(state, selection).map(({ name }) => name);
      // The end is looked for first, so that what came before it is read.
      areOver = named?.every(({ name }) => isGone(readKeptTd(state, name))) ?? false;
      return wanted
        .flatMap(read)
        .sort((one, other) => one.record.at.at.localeCompare(other.record.at.at));
    },
    get areOver() {
      return areOver;
    },
  };
}

function isGone(td: KeptTd | undefined): boolean {
  return td === undefined || isOver(td.state);
}

/** What comes to a journal that somebody else writes, after what there is of the life before. */
class JournalReader {
  readonly #files: TdFiles;
  #size = -1;
  #seq = 0;
  #isFirst = true;

  constructor(files: TdFiles) {
    this.#files = files;
  }

  next(): ToldRecord[] {
    const before = this.#isFirst ? this.#news(this.#files.journalBefore) : [];
    this.#isFirst = false;
    const size = statSync(this.#files.journal, { throwIfNoEntry: false })?.size;
    if (size === undefined || size === this.#size) return before;
    this.#size = size;
    return [...before, ...this.#news(this.#files.journal)];
  }

  /** The numbers go on over all lives. */
  #news(path: string): ToldRecord[] {
    const { records } = readJournal(path);
    const news = records.filter(({ seq }) => seq > this.#seq);
    this.#seq = news.at(-1)?.seq ?? this.#seq;
    return news.filter(isTold);
  }
}

type Printed = Content<'tdctl.TdEvent'>['record'];

/** Single requests are written down nowhere: there are too many. */
function isPrinted(record: ToldRecord): record is ToldRecord & Printed {
  return record.kind !== 'event' || record.event.event !== 'request.answered';
}

function printRecord({ td, record }: TdRecord, output: OutputFormat, io: CommandIo): void {
  if (!isPrinted(record)) return;
  if (output === 'text') {
    const words = recordInWords(record);
    if (words !== undefined) print(io, `${record.at.at}  ${td}  ${sanitize(words)}\n`);
    return;
  }
  const line = JSON.stringify(documentOf('tdctl.TdEvent', { td, record }), dataValue);
  io.stdout.write(output === 'json' ? `${line}\n` : `---\n${stringify(JSON.parse(line))}`);
}

/** A number is the last record that is known already, a time how long ago the first may be. */
function wantedSince(since: string | undefined): (record: ToldRecord) => boolean {
  if (since === undefined) return () => true;
  if (/^\d+$/.test(since)) return ({ seq }) => seq > Number(since);
  const from = Date.now() - (durationOf(since, '--since') ?? 0);
  return ({ at }) => Date.parse(at.at) >= from;
}
