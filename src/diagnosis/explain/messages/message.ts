/** The one table of messages: a row is a message that somebody prints, and what it means. */
import type { Answer } from '../answer.ts';
import type { CodeTable } from './codes.ts';

/** Where a log is from: the machine that runs TDs, or the inside of one. */
export type Place = 'host' | 'guest';

/** What a message shows of the log that it stands in. */
export type Mark =
  /** The first line of a kernel: what follows is another boot. */
  | 'boot'
  /** The kernel runs in a TD. */
  | 'in-td'
  /** The kernel runs in a VM of any kind. */
  | 'in-vm'
  /** The kernel has started the first process: its own initialisation is over. */
  | 'user-space';

/** The values of a wording, by name. */
export type Values = Readonly<Record<string, string>>;

/** Who prints the messages of one table. */
export interface Printed {
  /** As its makers call it: `Linux`, `QEMU`, `QGS`. */
  readonly by: string;
  /** Where it runs; absent: on both sides. */
  readonly place?: Place;
  /** The file or repository that has the wording. */
  readonly source: string;
  /** The releases that print it, where that is known: `6.7 to 7.2`. */
  readonly releases?: string;
}

interface Row {
  /** Its wording or wordings (wording.ts): the text as it is printed, with `{name}` for each value. */
  readonly says: string | readonly string[];
  /** Absent: the message is no answer, and only marks the log or is part of a log rule. */
  readonly answer?: Answer;
  /** Where it prints a `{code}`: each has its own answer, and `answer` stands for those in no table. */
  readonly codes?: readonly CodeTable[];
  /** Says the answer with the values. */
  readonly say?: (values: Values) => Partial<Omit<Answer, 'id'>>;
  /** What it means in the log of a TD, where that is something else. */
  readonly inGuest?: Answer;
  readonly mark?: Mark;
  /** A name for log rules, where there is no answer whose id would do. */
  readonly name?: string;
}

/** A row with all that its table says of it. */
export interface Message extends Row, Printed {}

/** A row; what it says of its printer itself differs from the rest of its table. */
export type MessageRow = Row & Partial<Printed>;

export function messages(printed: Printed, rows: readonly MessageRow[]): readonly Message[] {
  return rows.map((row) => ({ ...printed, ...row }));
}
