/** The shape of each record, for traces that come from a file. */
import { z } from 'zod';
import { errnoNumbers } from '../abi/kvm/errno.ts';
import { readableVersions } from './record.ts';

export const threadName = /^(?:P[1-9]\d*\.)?T\d+$/;
export const objectName = /^[a-z]+#\d+$/;
export const requestName = /^(?:KVM_[A-Z0-9_]+|0x[0-9a-f]+)$/;

export const checkName = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/;

const thread = z.string().regex(threadName);
const object = z.string().regex(objectName);
const errnos = Object.keys(errnoNumbers) as [keyof typeof errnoNumbers];

const outcome = z.union([
  z.strictObject({ value: z.int(), made: object.optional() }),
  z.strictObject({
    errno: z.enum(errnos),
    check: z.string().regex(checkName).optional(),
    hwError: z
      .string()
      .regex(/^0x[0-9a-f]{1,16}$/)
      .optional(),
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
    args: z.record(z.string(), z.json()),
    outcome,
  }),
  z.strictObject({ kind: z.literal('close'), object }),
  z.strictObject({
    kind: z.literal('end'),
    exit: z.union([z.strictObject({ status: z.int() }), z.strictObject({ signal: z.string() })]),
  }),
]);
