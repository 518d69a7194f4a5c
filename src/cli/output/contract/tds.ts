/** Documents about TDs and their runs: `plan`, `run`, `measure`, `exec`. */
import { z } from 'zod';
import type { GuestEndReason } from '../../../host/guest.ts';
import {
  address,
  answeredRequest,
  bytes,
  count,
  document,
  errorFields,
  expectedRequest,
  firmware,
  flag,
  host,
  initialPages,
  kernel,
  keySlotFields,
  keySlots,
  limits,
  memorySlot,
  module,
  mrtd,
  ms,
  sha256,
  stepError,
  text,
  texts,
} from './shapes.ts';

const boot = z.strictObject({
  protocol: z.enum(['linux64', 'pvh']),
  kernelPath: text,
  initrdPath: text.nullable(),
  cmdline: text,
  entry: address,
  sha256,
});

const madePlan = z.strictObject({
  firmware,
  boot: boot.nullable(),
  measurement: z.strictObject({ mrtd, expected: mrtd.nullable() }),
  memorySlots: z.array(memorySlot),
  initialPages,
  steps: z.array(z.strictObject({ step: text, requests: z.array(expectedRequest) })),
  footprint: z.strictObject({
    guestMemoryBytes: bytes,
    control: z.strictObject({ tdr: count, tdcs: count, tdvps: count, secureEpt: count }),
    controlBytes: bytes,
    headroomBytes: bytes,
    totalBytes: bytes,
    plainVmPidTableBytes: bytes,
    pageCountsOf: z.strictObject({ release: text, isGuess: flag }),
  }),
  pamt: z.strictObject({
    hostMemoryBytes: bytes,
    staticBytes: bytes,
    dynamic: z.strictObject({ fixedBytes: bytes, counterBytes: bytes, pairsBytes: bytes }),
    savedBytes: bytes,
    mode: z.enum(['static', 'dynamic']),
    moduleHasDynamic: flag.optional(),
  }),
});

/** What an engine with devices will be started as. */
const vmm = z.strictObject({
  qemu: z.strictObject({ path: text, sha256, version: text, tdOptions: texts }).nullable(),
  launch: z.strictObject({
    program: text,
    args: texts,
    files: z.array(
      z.strictObject({ fd: count, path: text, access: z.enum(['read', 'readWrite', 'append']) }),
    ),
  }),
  parts: z.array(z.strictObject({ name: text, field: text, args: texts })),
  measuredBoot: z.array(
    z.strictObject({
      what: z.enum(['kernel', 'cmdline', 'initrd']),
      field: text,
      register: z.union([z.literal(1), z.literal(2)]),
      sha384: mrtd.nullable(),
      note: text,
    }),
  ),
  isReproducible: flag,
});

export const planDocument = document('tdctl.Plan', {
  td: text,
  engine: z.enum(['builtin', 'qemu']),
  vmm: vmm.nullable(),
  host,
  kernel,
  module: module.nullable(),
  findings: z.array(errorFields),
  warnings: z.array(
    z.strictObject({ id: text, field: text, place: text, message: text, hint: text }),
  ),
  vcpus: z.strictObject({ started: count, created: count }),
  limits,
  keySlots: keySlots.nullable(),
  cgroupRoom: count.nullable(),
  plan: madePlan.nullable(),
  expectedTimes: z
    .strictObject({
      host,
      stepMs: z.record(text, ms),
      teardown: z.strictObject({ withoutTerminateVmMs: ms, withTerminateVmMs: ms }),
    })
    .nullable(),
});

export const importDocument = document('tdctl.Import', {
  td: text,
  /** A TrustDomain file, as YAML. */
  trustDomain: text,
  notTaken: z.array(z.strictObject({ place: text, what: text, why: text })),
});

/** The first line, and the only one with kind and version. */
export const runPlanned = document('tdctl.Run', {
  event: z.literal('run.planned'),
  td: text,
  host,
  kernel,
  module: module.nullable(),
  vcpus: z.strictObject({ started: count, created: count }),
  limits,
  memoryBytes: bytes,
  memorySlots: z.array(memorySlot),
  firmware,
  initialPages,
  predictedMrtd: mrtd,
  keySlots: keySlots.nullable(),
});

export const runEnded = z.strictObject({
  event: z.literal('run.ended'),
  td: text,
  outcome: text,
  keySlotsBefore: keySlots.nullable(),
  keySlotsAfter: keySlots.nullable(),
});

const guestEnds = [
  'power-off',
  'reset',
  'shutdown',
  'halted',
  'debug-exit',
  'fail-entry',
  'internal-error',
  'system-event',
  'memory-fault',
  'unknown-exit',
  'refused',
  'host-gone',
] as const satisfies readonly GuestEndReason['kind'][];

function event<Name extends string, Shape extends z.ZodRawShape>(name: Name, shape: Shape) {
  return z.strictObject({
    td: text,
    machine: z.enum(['td-lifecycle', 'vmm-td']),
    machineVersion: count,
    state: text,
    elapsedMs: ms,
    event: z.literal(name),
    ...shape,
  });
}

const runEvents = [
  event('state.entered', { transitions: texts }),
  event('step.progress', { step: text, done: count, total: count, unit: text }),
  event('step.ended', {
    step: text,
    result: z.enum(['done', 'skipped', 'failed', 'interrupted']),
    durationMs: ms,
    requests: z.array(answeredRequest),
  }),
  event('resource.released', { what: text, error: stepError.optional() }),
  event('td.finalized', { mrtd: mrtd.nullable() }),
  event('td.warning', { message: text }),
  event('guest.ended', {
    reason: z.enum([...guestEnds, 'vmm-ended']),
    vcpu: count.nullable().meta({
      description: 'The place among the vCPUs of the one that ended it; null where QEMU runs it.',
    }),
    message: text,
  }),
  event('guest.panicked', {
    text: text.meta({ description: "The guest's own words." }),
    errorCode: address.meta({
      description: 'Its error code: R12 of ReportFatalError, without bit 63.',
    }),
  }),
  event('td.ended', {
    outcome: text,
    error: stepError.nullable(),
    leftovers: z.array(stepError),
  }),
] as const;

/** What is told of a TD (docs/events.md). */
export const runEvent = z.discriminatedUnion('event', runEvents);

/** One line of the stream. */
export const runDocument = z.discriminatedUnion('event', [runPlanned, ...runEvents, runEnded]);

export const measurementDocument = document('tdctl.Measurement', {
  firmware,
  sections: z.array(
    z.strictObject({
      type: text,
      gpa: address,
      memorySizeBytes: bytes,
      dataOffset: count,
      rawSizeBytes: bytes,
      measured: flag,
      pageAug: flag,
      addedAtBuild: flag,
    }),
  ),
  launchedByQemu: flag,
  order: z.enum(['page', 'section']),
  addedPages: count,
  measuredPages: count,
  hashedBytes: bytes,
  mrtd,
});

const counted = {
  vcpus: z.strictObject({ created: count, initialized: count }),
  pages: z.strictObject({ added: count, measured: count }),
};

export const execDocument = document('tdctl.ExecSummary', {
  command: texts,
  exit: z.union([
    z.strictObject({ how: z.literal('code'), status: count }),
    z.strictObject({ how: z.literal('signal'), status: count, signal: text }),
  ]),
  calls: count,
  vms: z.array(
    z.strictObject({
      name: text,
      type: z.enum(['td', 'default']),
      ...counted,
      mrtd: mrtd.nullable(),
    }),
  ),
  furtherVms: z
    .strictObject({ ...counted, tds: count, ordinary: count, finalized: count })
    .optional(),
  keySlots: z.strictObject({ ...keySlotFields, foreign: count, peak: count }),
  refusals: z.array(
    z.strictObject({
      request: text,
      errno: text,
      check: text.nullable(),
      hwError: text.nullable(),
      count,
      meaning: text,
      hint: text,
      routine: flag,
    }),
  ),
  unknownIoctls: z.array(z.strictObject({ on: text, ioctl: text, errno: text, count })),
  unserved: z.array(z.strictObject({ call: text, abi: text, errno: text, count })),
  stillOpen: texts,
  leakedKeySlots: count,
  expectations: z.strictObject({
    results: z.array(
      z.strictObject({
        guest: count,
        vcpu: count,
        step: text,
        place: text,
        expected: text,
        got: text.optional(),
        met: flag,
        times: count,
      }),
    ),
    unreached: z.array(
      z.strictObject({
        guest: count.optional(),
        vcpu: z.union([count, z.literal('others')]),
        step: text,
        place: text,
      }),
    ),
  }),
});
