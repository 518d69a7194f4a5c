/** `tdctl events`: what has happened to kept TDs, and what happens. The journals say it, whoever is alive. */
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { dataValue } from '../../documents/data-values.ts';
import type { KeptTd } from '../../keeper/kept-td.ts';
import { readKeptTd } from '../../keeper/kept-tds.ts';
import { isOver } from '../../keeper/state.ts';
import type { StateDirectory } from '../../keeper/state-directory.ts';
import { tdFiles } from '../../keeper/td-files.ts';
import type { ToldRecord } from '../../keeper/told.ts';
import { durationOf } from '../duration.ts';
import { listenForInterrupts } from '../interrupts.ts';
import type { CommandIo } from '../io.ts';
import type { OutputFormat } from '../options.ts';
import type { Content } from '../output/contract/index.ts';
import { documentOf } from '../output/data.ts';
import { print } from '../output/print.ts';
import { sanitize } from '../output/sanitize.ts';
import { JournalReader } from './journal-reader.ts';
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
      return inOrder(wanted.map(read));
    },
    get areOver() {
      return areOver;
    },
  };
}

/** In the order of time between TDs; those of one TD are in the order in which they were written down. */
function inOrder(lists: readonly TdRecord[][]): readonly TdRecord[] {
  const rest = lists.filter((list) => list.length > 0).map((list) => ({ list, at: 0 }));
  const told: TdRecord[] = [];
  for (;;) {
    const heads = rest.filter(({ list, at }) => at < list.length);
    const [first, ...others] = heads;
    if (first === undefined) return told;
    const momentOf = ({ list, at }: typeof first) => list[at]?.record.at ?? '';
    const next = others.reduce(
      (least, each) => (momentOf(each) < momentOf(least) ? each : least),
      first,
    );
    told.push(next.list[next.at] as TdRecord);
    next.at += 1;
  }
}

function isGone(td: KeptTd | undefined): boolean {
  return td === undefined || isOver(td.state);
}

type Printed = Content<'tdctl.TdEvent'>['journalRecord'];

/** Single requests are written down nowhere: there are too many. */
function isPrinted(record: ToldRecord): record is ToldRecord & Printed {
  return record.kind !== 'event' || record.told.event !== 'request.answered';
}

function printRecord({ td, record }: TdRecord, output: OutputFormat, io: CommandIo): void {
  if (!isPrinted(record)) return;
  if (output === 'text') {
    const words = recordInWords(record);
    if (words !== undefined) print(io, `${record.at}  ${td}  ${sanitize(words)}\n`);
    return;
  }
  const line = JSON.stringify(
    documentOf('tdctl.TdEvent', { td, journalRecord: record }),
    dataValue,
  );
  io.stdout.write(output === 'json' ? `${line}\n` : `---\n${stringify(JSON.parse(line))}`);
}

/** A number is the last record that is known already, a time how long ago the first may be. */
function wantedSince(since: string | undefined): (record: ToldRecord) => boolean {
  if (since === undefined) return () => true;
  if (/^\d+$/.test(since)) return ({ seq }) => seq > Number(since);
  const from = Date.now() - (durationOf(since, '--since') ?? 0);
  return ({ at }) => Date.parse(at) >= from;
}
