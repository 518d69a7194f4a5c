/**
 * What stands in the journal of a TD. A record is flushed to the disk before each step that takes something, and
 * after each that has given something back.
 */
import type { TdEvent } from '../../../machines/td-lifecycle/events.ts';
import type { ErrorInWords } from '../../diagnosis/refusals.ts';
import type { TdRunEvent } from '../../orchestrator/index.ts';
import type { KeeperIdentity, VmmIdentity } from '../identity.ts';
import type { Moment } from '../moment.ts';

interface Peer {
  readonly pid: number;
  readonly uid: number;
}

export interface MoveRecord {
  readonly kind: 'move';
  readonly stage: keyof typeof moveStages;
  /** The other keeper. */
  readonly other: { readonly pid: number; readonly tdctl: string };
  /** How long no vCPU ran, where that is known. */
  readonly blackoutMs: number | null;
  /** Why it went so, where that needs words. */
  readonly why: string | null;
}

/** The words are for people. */
export const moveStages = {
  asked: 'its move to another keeper was asked for',
  kept: 'it stays with its keeper',
  left: 'it has left for another keeper',
  lost: 'it was lost on its way to another keeper',
  arrived: 'it has arrived from another keeper',
} as const;

export type JournalRecord = {
  /** From 1, without gaps, over all lives of the TD. */
  readonly seq: number;
} & Moment &
  JournalBody;

export type JournalBody =
  /** The first of each life; in the midst of one, another keeper goes on where one has died. */
  | {
      readonly kind: 'keeper';
      readonly identity: KeeperIdentity;
      readonly life: number;
      readonly goesOn?: true | undefined;
    }
  /** Somebody asked for this over the socket. */
  | {
      readonly kind: 'asked';
      readonly verb: string;
      readonly peer: Peer | null;
    }
  /** Somebody who is neither the owner of the directory nor root has connected to the socket. */
  | { readonly kind: 'refused'; readonly peer: Peer }
  /** The place in the queue for a key slot has been taken, or given up. */
  | { readonly kind: 'queued' | 'unqueued'; readonly ticket: string }
  /** How far the TD is on its way between two keepers, by the one of the two that writes. */
  | MoveRecord
  /** What the chart is made from: with the events it gives the snapshot. */
  | {
      readonly kind: 'input';
      /** The id of the chart; td-lifecycle where there is none. */
      readonly machine?: string | undefined;
      readonly machineVersion: number;
      readonly input: unknown;
    }
  /** The process that gets the TD: it has begun, and its program has not. */
  | { readonly kind: 'vmm'; readonly identity: VmmIdentity }
  /** An event that the chart has taken, the results of its actors included. */
  | { readonly kind: 'chart'; readonly event: TdEvent | { readonly type: string } }
  /** The intent: this step begins, and may take what its row says. */
  | { readonly kind: 'begins'; readonly step: string }
  /** What the run told, in words: the events of docs/events.md. */
  | { readonly kind: 'event'; readonly told: TdRunEvent<ErrorInWords> }
  /** getPersistedSnapshot() of the chart, at rest. */
  | { readonly kind: 'snapshot'; readonly machineVersion: number; readonly snapshot: unknown }
  /** The last of a life: nothing is held any more, or what is told in `leftovers`. */
  | { readonly kind: 'over'; readonly outcome: string; readonly leftoverCount: number };
