/** Documents about hosts: `host`, `host diff`, `fit`, `doctor`, `kernels`, `footprint`. */
import { z } from 'zod';
import type { HostState } from '../../../keeper/hosts/read-hosts.ts';
import { type KeptState, keptStates } from '../../../keeper/state.ts';
import {
  bytes,
  count,
  document,
  errorFields,
  flag,
  host,
  kernel,
  kernelFields,
  keySlotFields,
  keySlots,
  limits,
  moduleFields,
  ms,
  reason,
  roomFields,
  text,
  texts,
} from './shapes.ts';

export const hostDocument = document('tdctl.Host', {
  host,
  backend: z.enum(['kvm', 'soft', 'sim']),
  limits,
  keySlots: z
    .strictObject({
      ...keySlotFields,
      cgroupRoom: count.nullable(),
      holders: z
        .array(z.strictObject({ cgroup: text, slots: count, processes: count.nullable() }))
        .nullable(),
      leakEvidence: texts,
    })
    .nullable(),
  ledger: z
    .strictObject({
      countedFor: z.enum(['host', 'each keeper']).meta({
        description:
          'Whether keySlots counts the TDs that are kept, or each keeper simulates a machine.',
      }),
      ours: count,
      draining: count.meta({ description: 'Of ours, those whose TDs are being taken down.' }),
      kept: z.array(
        z.strictObject({
          name: text,
          state: z.enum(Object.keys(keptStates) as [KeptState, ...KeptState[]]),
          keeperPid: count.nullable(),
          since: text.nullable(),
          leftMs: ms.nullable().meta({ description: 'Of a teardown, estimated; null: not known.' }),
        }),
      ),
      foreign: count.nullable(),
      foreignProcesses: z
        .array(z.strictObject({ pid: count, program: text, vmFds: count }))
        .nullable(),
      suspectedLeaks: count.nullable().meta({
        description: 'In use, and of no process that was found; null where that cannot be told.',
      }),
    })
    .nullable()
    .meta({ description: 'Whose the key slots are; null where kept TDs cannot be read.' }),
  memory: z.strictObject({
    totalBytes: bytes,
    availableBytes: bytes.nullable(),
    pamtMode: z.enum(['static', 'dynamic']),
    pamtBytes: bytes,
    cgroupRoomBytes: bytes.nullable(),
  }),
  kernel: z.strictObject({
    ...kernelFields,
    apiVersion: count,
    hasMaxVcpusCap: flag,
    takesMaxVcpusInInitVm: flag,
    presentCpusBind: flag,
    vcpusBeforeInitVm: flag,
    initVmStruct: z.enum(['sized by nent', 'fixed size']),
    movesTds: flag,
    sharesGuestMemory: z.enum(['link', 'bind', 'no']),
    memoryAttributesOf: z.enum(['the VM', 'each guest_memfd']),
    hasTerminateVm: flag,
  }),
  module: z.strictObject({ ...moduleFields, maxVcpusPerTd: count.nullable() }).nullable(),
  platform: z.strictObject({
    packages: count.nullable(),
    presentCpus: count,
    onlineCpus: count,
    guestAddressWidths: z.array(count),
    tscKhz: count.nullable(),
  }),
  room: z.strictObject({ td: text, ...roomFields }).optional(),
});

const sharedHost = {
  name: text,
  state: z.enum(['serving', 'stopped', 'starting', 'lost'] as const satisfies readonly HostState[]),
  machine: text.nullable().meta({ description: 'As `--host` names it.' }),
  kernel: z.strictObject({ id: text }).nullable(),
  server: z
    .strictObject({ pid: count, tdctl: text, startedAt: text })
    .nullable()
    .meta({ description: 'The process that has the machine.' }),
  keySlots: keySlots.nullable().meta({ description: 'Null where the host does not answer.' }),
  waiting: z
    .array(z.strictObject({ td: text, pid: count, isStopped: flag }))
    .nullable()
    .meta({ description: 'Kept TDs in line for a key slot, and their keepers; the next first.' }),
  vmCount: count.nullable(),
  programs: z
    .array(
      z.strictObject({
        process: count.meta({ description: 'Its number in the simulated kernel.' }),
        cgroup: text,
        pid: count.nullable(),
        uid: count.nullable(),
        tdctl: text.nullable(),
        command: texts.nullable().meta({
          description:
            'What `tdctl exec --on` has started; null of a tdctl that has joined by itself.',
        }),
        joinedAt: text,
        calls: count,
      }),
    )
    .nullable(),
  faultsToCome: texts.nullable(),
};

export const sharedHostDocument = document('tdctl.SharedHost', sharedHost);

export const sharedHostsDocument = document('tdctl.SharedHosts', {
  hosts: z.array(z.strictObject(sharedHost)),
});

export const hostDiffDocument = document('tdctl.HostDiff', {
  a: text,
  b: text,
  blocks: count,
  changes: count,
  differences: z.array(
    z.strictObject({
      field: text,
      a: text,
      b: text,
      effect: z.enum(['blocks', 'changes', 'info']),
      meaning: text,
    }),
  ),
});

const readHost = z.strictObject({
  host,
  place: text,
  verdict: z.enum(['migrates', 'fits', 'unknown', 'cannot']),
  firstReason: text.nullable(),
  reasons: z.array(reason),
  migrationReasons: z.array(reason).nullable(),
  unknown: texts,
  limits: limits.nullable(),
  keySlots: keySlots.nullable(),
  room: z.strictObject(roomFields),
});

const unreadableHost = z.strictObject({
  place: text.nullable(),
  verdict: z.literal('unreadable'),
  error: errorFields,
});

export const fittedHost = z.union([readHost, unreadableHost]);

export const fitSummary = z.strictObject({
  hostCount: count,
  judged: count,
  unreadable: count,
  verdicts: z.record(z.enum(['migrates', 'fits', 'unknown', 'cannot']), count),
  taken: count.nullable().meta({ description: 'So many of them all hosts take together.' }),
  reasonCounts: z.record(text, count),
  migrationReasonCounts: z.record(text, count),
});

export const fitDocument = document('tdctl.Fit', {
  td: text,
  from: text.nullable(),
  hosts: z.array(fittedHost),
  summary: fitSummary,
});

export const doctorDocument = document('tdctl.Doctor', {
  host,
  conclusion: z.enum(['ready', 'not-ready', 'cannot-tell']),
  firstCause: text.nullable(),
  counts: z.record(z.enum(['pass', 'warn', 'fail', 'unknown', 'skipped']), count),
  checks: z.array(
    z.strictObject({
      id: text,
      title: text,
      group: text,
      parent: text.nullable(),
      reads: text,
      status: z.enum(['pass', 'warn', 'fail', 'unknown', 'skipped']),
      evidence: text,
      fix: text.nullable(),
    }),
  ),
});

export const doctorCheckDocument = document('tdctl.DoctorCheck', { id: text, text });

const placedCheck = z.strictObject({ check: text, after: text.nullable() });

export const kernelsDocument = document('tdctl.Kernels', {
  kernels: z.array(
    z.strictObject({
      kernel,
      default: flag,
      description: text,
      source: text,
      unconfirmed: texts,
      rules: z.record(text, text),
      // The fields of it are those of the simulator, and change with it.
      record: z.record(text, z.unknown()),
      checkOrder: z.strictObject({
        differences: z.array(
          z.strictObject({
            requestNames: texts,
            addedChecks: z.array(placedCheck),
            leftOutChecks: texts,
            movedChecks: z.array(placedCheck),
          }),
        ),
        byRequest: z.record(text, texts),
        unreachableChecks: texts,
      }),
    }),
  ),
});

export const footprintDocument = document('tdctl.Footprint', {
  fleet: text,
  kvmMaxVcpus: count,
  moduleParameter: count,
  vms: z.array(
    z.strictObject({
      name: text,
      type: z.enum(['plain', 'td']),
      count,
      vcpus: count,
      maxVcpus: z.union([count, z.literal('unbounded')]),
      limit: count,
      createdVcpus: count,
      maxVcpuIds: count,
      idGaps: count,
    }),
  ),
  tables: z.array(
    z.strictObject({
      id: text,
      title: text,
      designs: z.array(
        z.strictObject({
          id: text,
          title: text,
          source: text,
          estimate: text.nullable(),
          bytesPerVm: z.record(text, bytes.nullable()),
          fleetBytes: bytes,
        }),
      ),
    }),
  ),
  pamt: z
    .strictObject({
      hostMemoryBytes: bytes,
      tdMemoryBytes: bytes,
      staticBytes: bytes,
      dynamic: z.strictObject({ fixedBytes: bytes, counterBytes: bytes, pairsBytes: bytes }),
      savedBytes: bytes,
    })
    .nullable(),
});
