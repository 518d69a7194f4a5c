/** Documents about kept TDs: `list`, `show`, and what became of each in a verb. */
import { z } from 'zod';
import { moveStages } from '../../../keeper/journal/records.ts';
import type { KeptState } from '../../../keeper/state.ts';
import { keptStates } from '../../../keeper/state.ts';
import {
  bytes,
  count,
  document,
  errorFields,
  flag,
  host,
  mrtd,
  ms,
  stepError,
  text,
  texts,
} from './shapes.ts';
import { runEvent } from './tds.ts';

const names = Object.keys(keptStates) as [KeptState, ...KeptState[]];
const state = z.enum(names).meta({ id: 'keptState', description: 'docs/operating.md lists them.' });
const moment = z.iso.datetime();
const stages = Object.keys(moveStages) as [keyof typeof moveStages];

const apiRange = z.strictObject({ oldest: count, newest: count });

const keptTdFields = {
  name: text,
  labels: z.record(text, text),
  state,
  chartState: text
    .nullable()
    .meta({ description: 'The state of the chart, as last written down.' }),
  since: moment.nullable(),
  sinceMs: ms.nullable().meta({ description: 'It does not follow a clock that is set.' }),
  createdAt: moment.nullable(),
  life: count.meta({ description: 'One more each time that the name began a life anew.' }),
  host: host.nullable(),
  kernel: z.strictObject({ id: text }).nullable(),
  vcpus: count.nullable(),
  memoryBytes: bytes.nullable(),
  holdsKeySlot: flag,
  mrtd: mrtd.nullable(),
  error: stepError.nullable(),
  notes: texts.meta({ description: 'What was concluded, and what to do.' }),
  keeper: z
    .strictObject({
      pid: count,
      tdctl: text,
      api: apiRange,
      startedAt: moment,
      unit: text.nullable(),
      lives: flag,
    })
    .nullable(),
  queue: z
    .strictObject({ position: count, of: count, forecastMs: ms.nullable() })
    .nullable()
    .meta({ description: 'Its place among those that wait for a key slot; the first is 1.' }),
  leftMs: ms.nullable().meta({ description: 'How long its teardown will still take, estimated.' }),
};

export const tdDocument = document('tdctl.Td', keptTdFields);

export const tdListDocument = document('tdctl.TdList', {
  items: z.array(z.strictObject(keptTdFields)),
});

export const tdActionsDocument = document('tdctl.TdActions', {
  actions: z.array(
    z.strictObject({
      verb: text,
      name: text,
      result: z.enum(['changed', 'nothing-to-do', 'failed']),
      state: state.nullable().meta({ description: 'Null where there is no such TD, or no more.' }),
      error: errorFields.nullable(),
    }),
  ),
});

const peer = z.strictObject({ pid: count, uid: count }).meta({ id: 'peer' });
const identity = z.strictObject({
  version: z.literal(1),
  pid: count,
  startTime: text,
  bootId: text,
  pidNamespace: text,
  uid: count,
  tdctl: text,
  api: apiRange,
  chartVersion: count,
  startedAt: moment,
  unit: text.optional(),
});

function record<Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) {
  return z.strictObject({
    seq: count.meta({ description: 'From 1, over all lives of the TD.' }),
    at: moment,
    uptimeMs: ms.meta({ description: 'Since the host was started, suspended time included.' }),
    kind: z.literal(kind),
    ...shape,
  });
}

/** What is told of a kept TD: in `tdctl events`, and in the event stream of its keeper. */
export const toldRecord = z
  .discriminatedUnion('kind', [
    record('keeper', {
      identity,
      life: count,
      goesOn: z.literal(true).optional().meta({
        description:
          'In the midst of a life: the keeper before has died, and QEMU has the TD still.',
      }),
    }),
    record('asked', { verb: text, peer: peer.nullable() }),
    record('refused', { peer }),
    record('queued', { ticket: text }),
    record('unqueued', { ticket: text }),
    record('move', {
      stage: z.enum(stages),
      other: z.strictObject({ pid: count, tdctl: text }).meta({ description: 'The other keeper.' }),
      blackoutMs: ms.nullable().meta({ description: 'How long no vCPU ran, where it is known.' }),
      why: text.nullable(),
    }),
    record('event', { told: runEvent }),
    record('over', { outcome: text, leftoverCount: count }),
  ])
  .meta({ id: 'toldRecord' });

const keeperAtMove = z.strictObject({ pid: count, tdctl: text }).meta({ id: 'keeperAtMove' });

/** `tdctl migrate`. */
export const tdMoveDocument = document('tdctl.TdMove', {
  name: text,
  verdict: z
    .enum(['completed', 'destinationOnly'])
    .meta({ description: 'The second: it is with the next keeper, and not all is as it was.' }),
  fromKeeper: keeperAtMove,
  toKeeper: keeperAtMove,
  blackoutMs: ms.nullable().meta({ description: 'How long no vCPU ran; null where none was to.' }),
  blackoutParts: z.array(z.strictObject({ state: text, durationMs: ms })).meta({
    description: 'The states of the migration meanwhile, as the next keeper has seen them.',
  }),
  error: stepError.nullable(),
  leftovers: z.array(stepError),
});

/** `tdctl upgrade`. */
export const tdUpgradeDocument = document('tdctl.TdUpgrade', {
  toTdctl: text.meta({ description: 'The version of tdctl that the TDs were to have.' }),
  program: text.meta({ description: "The program of that one's keepers." }),
  items: z.array(
    z.strictObject({
      name: text,
      result: z.enum(['moved', 'nothing-to-do', 'failed', 'not-tried']),
      state: state.nullable().meta({ description: 'As it was looked at last.' }),
      fromKeeper: keeperAtMove.nullable(),
      toKeeper: keeperAtMove.nullable(),
      blackoutMs: ms.nullable(),
      error: errorFields.nullable().meta({
        description: 'Of one that was moved, too, where it is not as it was.',
      }),
    }),
  ),
  movedCount: count,
  worstBlackoutMs: ms.nullable().meta({ description: 'The longest of them.' }),
});

/** Each line is one document. */
export const tdEventDocument = document('tdctl.TdEvent', { td: text, journalRecord: toldRecord });

/** `GET /v1` of a keeper. */
export const keeperDocument = document('tdctl.Keeper', {
  name: text,
  pid: count,
  tdctl: text.meta({ description: 'The version of tdctl that keeps the TD.' }),
  api: apiRange.meta({ description: 'The versions of the API that it speaks.' }),
  move: apiRange.meta({
    description: 'The versions of what it says to the next keeper of the TD.',
  }),
  startedAt: moment,
  chartVersion: count,
  guard: z
    .enum(['peer-credentials', 'directory'])
    .meta({ description: 'What decides who may ask: who has connected, or only the directory.' }),
});

/** What a keeper answers to a verb. */
export const actedDocument = document('tdctl.Acted', {
  changed: flag.meta({ description: 'False where there was nothing to do.' }),
  td: z.strictObject(keptTdFields),
});
