/** One life of a kept TD as its keeper writes it down: journal, status and console log, and who follows them. */
import type { ErrorInWords } from '../diagnosis/refusals.ts';
import type { TdctlError } from '../errors/index.ts';
import type { Feed } from '../feed/index.ts';
import type { HostIdentity } from '../host/identity.ts';
import { ConsoleLog } from './console-log.ts';
import type { KeeperFaults } from './faults.ts';
import type { KeeperIdentity } from './identity.ts';
import { Journal } from './journal/journal.ts';
import type { JournalRecord } from './journal/records.ts';
import { type AppendRecord, Journaling } from './journaling.ts';
import { momentNow } from './moment.ts';
import { StatusKeeping } from './status-keeping.ts';
import type { OwnedTd } from './td-directory.ts';
import { isTold, type ToldRecord, toldFeed } from './told.ts';

export interface Life {
  readonly name: string;
  readonly number: number;
  readonly keeper: KeeperIdentity;
  readonly journaling: Journaling;
  readonly status: StatusKeeping;
  readonly console: ConsoleLog;
  readonly feed: Feed<ToldRecord>;
  /** The last word of a life, flushed. */
  over(outcome: string, leftoverCount: number): void;
  /** Nothing is written while a guest stands still for a move, until {@link goOn}. */
  hold(): void;
  goOn(): void;
  /**
   * Another keeper has the TD from now on, and writes down what becomes of it: this one writes its last word, flushed,
   * and nothing more.
   */
  cede(): void;
  close(): void;
}

export interface LifeOptions {
  readonly name: string;
  readonly keeper: KeeperIdentity;
  /** The host as it was named. */
  readonly host: HostIdentity;
  /** Is told what cannot be written, once of each file. */
  readonly onTrouble: (error: TdctlError) => void;
}

/** @throws TdctlError TDCTL_E_NOT_WRITABLE: nothing was begun. */
export function beginLife(owned: OwnedTd, options: WrittenLifeOptions): Life {
  const { number, lastSeq } = owned.beginLife(options.keeper);
  const journal = Journal.begin(owned, lastSeq);
  return lifeOf(options, {
    number,
    append: appendTo(() => journal, options.faults),
    lastSeq: () => journal.lastSeq,
    writeStatus: (status) => owned.writeStatus(status),
    consolePath: owned.files.console,
    beforeWrite: owned.beforeWrite,
    close: () => journal.close(),
  });
}

export interface WrittenLifeOptions extends LifeOptions {
  readonly faults: KeeperFaults;
}

/** The life of a TD that is to come from another keeper. */
export interface NextLife extends Life {
  /**
   * The TD is here, and what was written of it goes into its own journal. From now on it is told.
   *
   * @throws TdctlError TDCTL_E_NOT_WRITABLE.
   */
  takeOver(owned: OwnedTd): void;
}

/**
 * Writes to the journal that the next keeper has, and tells nobody, until the TD is here.
 *
 * @throws TdctlError TDCTL_E_NOT_WRITABLE.
 */
export function beginNextLife(
  next: Pick<OwnedTd, 'files' | 'beforeWrite'>,
  { number, ...options }: WrittenLifeOptions & { readonly number: number },
): NextLife {
  let journal = Journal.begin(next, 0);
  let written = 0;
  let main: OwnedTd | undefined;
  const held: JournalRecord[] = [];
  const { faults } = options;
  const append: AppendRecord = (body, how) => {
    // Numbered as this process writes them, in both journals.
    written += 1;
    faults.beforeRecord(written);
    const record = journal.append(body, how);
    if (main === undefined) held.push(record);
    faults.afterRecord(written);
    return record;
  };
  const life = lifeOf(
    { ...options, isTold: () => main !== undefined },
    {
      ...{ number, append, beforeWrite: next.beforeWrite },
      lastSeq: () => journal.lastSeq,
      writeStatus: (status) => main?.writeStatus(status),
      consolePath: next.files.console,
      consoleGoesOn: true,
      close: () => journal.close(),
    },
  );
  return {
    ...life,
    takeOver(owned) {
      const { lastSeq } = owned.beginLife(options.keeper, life.status.record);
      journal.close();
      journal = Journal.begin(owned, lastSeq);
      main = owned;
      for (const { seq: _, ...record } of held) life.journaling.again(record);
      life.status.again();
    },
  };
}

function appendTo(journal: () => Journal, faults: KeeperFaults): AppendRecord {
  return (body, how) => {
    faults.beforeRecord(journal().lastSeq + 1);
    const record = journal().append(body, how);
    faults.afterRecord(record.seq);
    return record;
  };
}

/** The life of a TD that is written down nowhere: there is no directory for it. */
export function unwrittenLife(options: LifeOptions): Life {
  let seq = 0;
  return lifeOf(options, {
    number: 1,
    append(body) {
      seq += 1;
      return { seq, ...momentNow(), ...body };
    },
    lastSeq: () => seq,
    writeStatus: () => {},
    consolePath: undefined,
    beforeWrite: () => {},
    close: () => {},
  });
}

interface Written {
  readonly number: number;
  readonly append: AppendRecord;
  readonly lastSeq: () => number;
  readonly writeStatus: OwnedTd['writeStatus'];
  readonly consolePath: string | undefined;
  readonly consoleGoesOn?: boolean;
  readonly beforeWrite: OwnedTd['beforeWrite'];
  readonly close: () => void;
}

interface ToldLifeOptions extends LifeOptions {
  /** Whether anybody is told of the records yet. */
  readonly isTold?: () => boolean;
}

function lifeOf(options: ToldLifeOptions, written: Written): Life {
  const { name, keeper, host, onTrouble, isTold: isTellable = () => true } = options;
  const { number, append, lastSeq, writeStatus, consolePath: path, beforeWrite } = written;
  const feed = toldFeed();
  const journaling = new Journaling({
    append,
    onRecord: (record) => {
      if (isTellable() && isTold(record)) feed.publish(record, record.seq);
    },
    onTrouble,
  });
  // Whose life it is comes first: without it, nothing that follows can be concluded from.
  journaling.begin({ kind: 'keeper', identity: keeper, life: number });
  const status = new StatusKeeping(
    { name, life: number, keeper, write: writeStatus, seq: lastSeq, onTrouble },
    host,
  );
  const goesOn = written.consoleGoesOn;
  const console = new ConsoleLog({ path, goesOn, beforeWrite, onTrouble });
  return {
    ...{ name, number, keeper, journaling, status, console, feed },
    over: (outcome, leftoverCount) =>
      journaling.note({ kind: 'over', outcome, leftoverCount }, { flush: true }),
    hold() {
      journaling.hold();
      status.hold();
    },
    goOn() {
      journaling.goOn();
      status.goOn();
    },
    cede() {
      journaling.goOn();
      journaling.note({ kind: 'over', outcome: 'moved', leftoverCount: 0 }, { flush: true });
      journaling.end();
      status.end();
    },
    close() {
      console.close();
      written.close();
    },
  };
}

/** An error that came before the first step, as the status has it. */
export function earlyError({ code, message, details, hint }: TdctlError): ErrorInWords {
  return { step: 'starting', code, message, details, hint };
}
