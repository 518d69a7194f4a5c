/** The schemas give the shape of each record, for traces that come from a file. */
import { z } from 'zod';
import { errnoNumbers } from '../abi/kvm/errno.ts';
import { readableVersions } from './record.ts';

export const threadName = /^(?:P[1-9]\d*\.)?T\d+$/;
export const objectName = /^[a-z]+#\d+$/;
export const requestName = /^(?:KVM_[A-Z0-9_]+|0x[0-9a-f]+)$/;

const leafName = /^TD[HX](?:\.[A-Z0-9]+)+$/;
const checkName = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;

const thread = z.string().regex(threadName);
const object = z.string().regex(objectName);
const errnos = Object.keys(errnoNumbers) as [keyof typeof errnoNumbers];

const args = z.record(z.string(), z.json());
const hexWord = z.string().regex(/^0x[0-9a-f]{1,16}$/);
const durationNs = z.int().min(0);

const outcome = z.union([
  z.strictObject({ value: z.int(), made: object.optional() }),
  z.strictObject({
    errno: z.enum(errnos),
    check: z.string().regex(checkName).optional(),
    hwError: hexWord.optional(),
  }),
  z.strictObject({ interrupted: z.literal(true) }),
]);

export const traceRecordSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('header'),
    version: z.literal(readableVersions),
    host: z.string(),
    kernel: z.string(),
    command: z.array(z.string()),
    cpu: z
      .strictObject({
        signature: z.string().regex(/^0x[0-9a-f]{1,8}$/),
        physicalAddressBits: z.int().min(1).max(64),
      })
      .optional(),
  }),
  z.strictObject({ kind: z.literal('open'), thread, outcome }),
  z.strictObject({
    kind: z.literal('call'),
    thread,
    object,
    request: z.string().regex(requestName),
    args,
    outcome,
    durationNs: durationNs.optional(),
  }),
  z.strictObject({
    kind: z.literal('seamcall'),
    cpu: z.int(),
    leaf: z.string().regex(leafName),
    operands: args,
    status: hexWord,
    check: z.string().regex(checkName).optional(),
    outputs: args,
    durationNs,
  }),
  z.strictObject({ kind: z.literal('close'), object, durationNs: durationNs.optional() }),
  z.strictObject({
    kind: z.literal('event'),
    event: z.enum(['state.entered', 'step.ended', 'td.ended']),
    td: z.string(),
    machine: z.string(),
    machineVersion: z.int(),
    state: z.string(),
    transitions: z.array(z.string()).optional(),
    step: z.string().optional(),
    result: z.string().optional(),
    outcome: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('end'),
    exit: z.union([
      z.strictObject({ status: z.int() }),
      z.strictObject({ signal: z.string() }),
      z.strictObject({ outcome: z.string() }),
    ]),
  }),
]);
