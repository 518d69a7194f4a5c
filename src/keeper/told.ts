/** The records of a journal that are told to whoever follows a TD: `GET /v1/events`, and `tdctl events`. */
import { Feed } from '../feed/index.ts';
import type { JournalRecord } from './journal/records.ts';

/** The others are for taking the TD up again, and say nothing that these do not. */
const toldKinds = [
  'keeper',
  'asked',
  'queued',
  'unqueued',
  'refused',
  'move',
  'event',
  'over',
] as const;

export type ToldRecord = Extract<JournalRecord, { kind: (typeof toldKinds)[number] }>;

export function isTold(record: JournalRecord): record is ToldRecord {
  return (toldKinds as readonly string[]).includes(record.kind);
}

/** A keeper has so many in its memory; the journal has all of them. */
const mostToldRecords = 2000;

/** Whoever comes late learns who keeps the TD and where it stands, however long ago that was told. */
export function toldFeed({ most = mostToldRecords } = {}): Feed<ToldRecord> {
  return new Feed({ most, standing: standingIn });
}

function standingIn(record: ToldRecord): string | undefined {
  if (record.kind === 'keeper') return record.kind;
  if (record.kind !== 'event') return undefined;
  const { event } = record.told;
  return standingEvents.includes(event) ? event : undefined;
}

const standingEvents: readonly string[] = ['state.entered', 'td.finalized'];
