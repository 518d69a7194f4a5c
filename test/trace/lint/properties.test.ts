/** What holds of every trace. */
import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import type { KernelAbiName } from '../../../src/simulator/index.ts';
import {
  type TraceArgs,
  type TraceRecord,
  traceJsonLine,
  traceText,
} from '../../../src/trace/index.ts';
import { Driver } from '../../simulator/drive.ts';
import { memRegion, ramGpa } from '../../simulator/structs.ts';
import { recordTrace } from '../recorder.ts';
import { ids, judged, judgedText, opened } from './judged.ts';

/** What a program has made so far. */
interface Made {
  readonly vms: number[];
  readonly vcpus: number[];
  readonly guestMemfds: number[];
}

type Act = (driver: Driver, made: Made, at: number) => unknown;

const oneOf = (handles: readonly number[], at: number) => handles[at % handles.length] ?? 9999;
const kept = (handles: number[], result: unknown) => {
  if (typeof result === 'number') handles.push(result);
};

const acts: readonly Act[] = [
  (driver, { vms }) => kept(vms, driver.createVm()),
  (driver, { vms }) => kept(vms, driver.createVm('KVM_X86_DEFAULT_VM')),
  (driver, { vms }, at) => driver.prepareTd(oneOf(vms, at)),
  (driver, { vms }, at) => driver.capabilities(oneOf(vms, at)),
  (driver, { vms }, at) => driver.cap(oneOf(vms, at), 'KVM_CAP_EXIT_HYPERCALL', 0x1000n),
  (driver, { vms }, at) => driver.cap(oneOf(vms, at), 'KVM_CAP_MAX_VCPU_ID', BigInt(4 + (at % 3))),
  (driver, { vms }, at) => driver.setTscKhz(oneOf(vms, at), 1_000_000),
  (driver, { vms }, at) => driver.initVm(oneOf(vms, at)),
  (driver, { vms, vcpus }, at) => kept(vcpus, driver.createVcpu(oneOf(vms, at), at % 5)),
  (driver, { vcpus }, at) => driver.setCpuid2(oneOf(vcpus, at)),
  (driver, { vcpus }, at) => driver.initVcpu(oneOf(vcpus, at)),
  (driver, { vcpus }, at) => driver.getCpuid(oneOf(vcpus, at)),
  (driver, { vms, guestMemfds }, at) => kept(guestMemfds, driver.createGuestMemfd(oneOf(vms, at))),
  (driver, { vms, guestMemfds }, at) => driver.setSlot(oneOf(vms, at), oneOf(guestMemfds, at)),
  (driver, { vms }, at) => driver.setPrivate(oneOf(vms, at), ramGpa, 16, at % 4 !== 3),
  (driver, { vcpus }, at) =>
    driver.initMemRegion(
      oneOf(vcpus, at),
      memRegion({ gpa: ramGpa + BigInt(at % 16) * 0x1000n, nrPages: BigInt(1 + (at % 3)) }),
      at % 2,
    ),
  (driver, { vms }, at) => driver.finalizeVm(oneOf(vms, at)),
  (driver, { vms }, at) => driver.terminateVm(oneOf(vms, at)),
  (driver, { vms, vcpus, guestMemfds }, at) => {
    const handle = oneOf([...vms, ...vcpus, ...guestMemfds], at);
    driver.release(handle);
  },
];

const step = fc.record({ act: fc.nat({ max: acts.length - 1 }), at: fc.nat({ max: 50 }) });
const anyOrder = fc.array(step, { maxLength: 60 });
/** Every act in its place, some more often, and a few others in between: these get far. */
const rightOrder = fc
  .tuple(
    fc.tuple(...acts.map((_, act) => fc.array(fc.nat({ max: 3 }).map((at) => ({ act, at }))))),
    fc.array(fc.tuple(fc.nat({ max: 60 }), step), { maxLength: 3 }),
  )
  .map(([phases, others]) => {
    const steps = phases.flatMap((phase, act) => [{ act, at: 0 }, ...phase.slice(0, 3)]);
    for (const [at, other] of others) steps.splice(at, 0, other);
    return steps;
  });

const kernels: readonly KernelAbiName[] = [
  'upstream-7.3',
  'upstream-6.16',
  'series-v19',
  'rfc-migration-v2',
  'posted-terminate-vm',
];

test.prop([fc.oneof(anyOrder, rightOrder), fc.constantFrom(...kernels)])(
  'a trace of calls that the simulated kernel took has no error',
  async (steps, kernelAbi) => {
    const driver = new Driver({ kernelAbi });
    const records = recordTrace(driver.machine);
    const made: Made = { vms: [], vcpus: [], guestMemfds: [] };
    for (const { act, at } of steps) acts[act]?.(driver, made, at);
    const taken = records.filter((record) => record.kind !== 'call' || 'value' in record.outcome);
    const report = await judged(taken, { kernel: kernelAbi });
    expect(ids(report).filter((id) => id.startsWith('error'))).toEqual([]);
  },
);

const name = fc.constantFrom(
  'flags',
  'nent',
  'cpuid',
  'id',
  'type',
  'cap',
  'args',
  'gpa',
  'nr_pages',
  'slot',
  'size',
  'attributes',
  'xfam',
  'exit',
  'out',
  'faults',
  'guest_memfd',
  'guest_phys_addr',
  'memory_size',
);
const value = fc.oneof(
  fc.constantFrom('0x0', '0x1000', '0xffffffffffffffff', 'vm#1', 'KVM_X86_TDX_VM', 'null'),
  fc.constantFrom('KVM_CAP_SPLIT_IRQCHIP', 'KVM_CAP_MAX_VCPU_ID', 'cmd.read'),
  fc.integer(),
  fc.constant(5),
  fc.array(fc.constantFrom('0x18', 'gmem#2', 'cmd.read')),
  fc.constant(null),
  fc.record({ nr_pages: fc.constantFrom('0x0', '0x1', 'x') }),
);
const object = fc.constantFrom('sys#0', 'vm#1', 'vm#2', 'vcpu#3', 'gmem#4', 'odd#5');
const request = fc.constantFrom(
  'KVM_CREATE_VM',
  'KVM_ENABLE_CAP',
  'KVM_CREATE_VCPU',
  'KVM_SET_CPUID2',
  'KVM_TDX_INIT_VM',
  'KVM_TDX_INIT_VCPU',
  'KVM_TDX_INIT_MEM_REGION',
  'KVM_TDX_FINALIZE_VM',
  'KVM_TDX_GET_CPUID',
  'KVM_TDX_CAPABILITIES',
  'KVM_MEMORY_ENCRYPT_OP',
  'KVM_CREATE_GUEST_MEMFD',
  'KVM_RUN',
  'KVM_SET_USER_MEMORY_REGION2',
  'KVM_SET_MEMORY_ATTRIBUTES',
  'KVM_PRE_FAULT_MEMORY',
  '0xae99',
);
const header: TraceRecord = {
  kind: 'header',
  version: 1,
  host: 'sim',
  kernel: 'upstream-7.3',
  command: ['vmm'],
};
const anyRecord: fc.Arbitrary<TraceRecord> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('call'),
      thread: fc.constantFrom('T0', 'T1', 'P2.T0'),
      object,
      request,
      args: fc.dictionary(name, value) as fc.Arbitrary<TraceArgs>,
      outcome: fc.oneof(
        fc.record({ value: fc.constantFrom(0, 1), made: object }, { requiredKeys: ['value'] }),
        fc.record({
          errno: fc.constantFrom('EINVAL', 'EIO', 'EAGAIN', 'EINTR', 'E2BIG', 'ENOSPC'),
        }),
        fc.constant({ interrupted: true } as const),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close'), object }) },
);

test.prop([fc.array(anyRecord, { maxLength: 40 })])(
  'records in any order, with any arguments, are judged without a throw',
  async (records) => {
    const report = await judged([header, ...records, { kind: 'end', exit: { status: 0 } }]);
    for (const { line } of report.findings) expect(line).toBeGreaterThan(0);
  },
);

test.prop([fc.array(anyRecord, { minLength: 1, maxLength: 20 })])(
  'text and JSON are judged the same',
  async (records) => {
    const texts = [traceText, traceJsonLine].map((format) => records.map(format).join('\n'));
    const [one, other] = await Promise.all(texts.map((text) => judgedText(text)));
    expect(one).toEqual(other);
  },
);

test.prop([fc.string({ unit: 'binary' })])('any text is a trace or none', async (text) => {
  if ((await opened(text.split('\n'))) !== undefined) await judgedText(text);
});

test.prop([fc.nat({ max: 1 << 30 })])(
  'a region of any size is judged in no more time than one that is possible',
  async (pages) => {
    const driver = new Driver();
    const records = recordTrace(driver.machine);
    const { vcpus } = driver.builtTd();
    driver.initMemRegion(vcpus[0] as number, memRegion());
    const huge = records.map((record) =>
      record.kind === 'call' && record.request === 'KVM_TDX_INIT_MEM_REGION'
        ? {
            ...record,
            args: { ...record.args, nr_pages: `0x${(pages + (1 << 18) + 1).toString(16)}` },
          }
        : record,
    );
    const report = await judged(huge);
    expect(ids(report).filter((id) => id.startsWith('error'))).toEqual([]);
  },
);
