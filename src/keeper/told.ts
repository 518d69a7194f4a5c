/** The records of a journal that are told to whoever follows a TD: `GET /v1/events`, and `tdctl events`. */
import type { JournalRecord } from './journal/records.ts';

/** The others are for taking the TD up again, and say nothing that these do not. */
const toldKinds = ['keeper', 'asked', 'queued', 'unqueued', 'refused', 'event', 'over'] as const;

export type ToldRecord = Extract<JournalRecord, { kind: (typeof toldKinds)[number] }>;

export function isTold(record: JournalRecord): record is ToldRecord {
  return (toldKinds as readonly string[]).includes(record.kind);
}
