/** What is written can be read again, and whatever else stands in a file is told and not thrown. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { errnoNumbers } from '../../src/abi/kvm/errno.ts';
import {
  type CallOutcome,
  type TraceRecord,
  type TraceValue,
  traceJsonLine,
  traceText,
} from '../../src/trace/index.ts';
import { parseTrace } from '../../src/trace/parse.ts';
import { Driver } from '../simulator/drive.ts';
import { memRegion } from '../simulator/structs.ts';
import { recordAll } from './recorder.ts';

const hex = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((value) => `0x${value.toString(16)}`);
const count = fc.nat({ max: 1_000_000 });
const entry = fc.record({
  function: hex,
  index: count,
  flags: count,
  eax: hex,
  ebx: hex,
  ecx: hex,
  edx: hex,
});
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  hex,
  fc.constantFrom('true', 'null', '12', '-1', '', 'vm#1', 'a b', '0x', '0xG', '[2 lines]', '\n'),
);
const { value: argument } = fc.letrec<{ value: TraceValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    fc.boolean(),
    fc.constant(null),
    fc.array(entry, { maxLength: 3 }) as unknown as fc.Arbitrary<TraceValue>,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[a-z ="]{1,6}$/), tie('value'), { maxKeys: 4 }),
  ),
}));
const object = fc
  .tuple(fc.constantFrom('sys', 'vm', 'vcpu', 'gmem', 'stats'), count)
  .map(([kind, number]) => `${kind}#${number}`);
const thread = fc.constantFrom('T0', 'T17', 'P2.T0', 'P30.T4');
const outcome: fc.Arbitrary<CallOutcome> = fc.oneof(
  fc.record({ value: fc.integer() }),
  object.map((made) => ({ value: 0, made })),
  fc.record(
    {
      errno: fc.constantFrom(...(Object.keys(errnoNumbers) as (keyof typeof errnoNumbers)[])),
      check: fc.constantFrom('init-vm.flags', 'enable-cap.max-vcpus.too-large'),
      hwError: hex,
    },
    { requiredKeys: ['errno'] },
  ),
  fc.constant({ interrupted: true } as const),
);
const args = fc.dictionary(fc.stringMatching(/^[a-z_0-9"]{1,8}$/), argument);
const registers = fc.dictionary(fc.constantFrom('rcx', 'rdx', 'r8'), fc.oneof(hex, text));
const record: fc.Arbitrary<TraceRecord> = fc.oneof(
  fc.record({
    kind: fc.constant('header'),
    version: fc.constantFrom(1 as const, 2 as const),
    host: text,
    kernel: text,
    command: fc.array(text),
  }),
  fc.record({ kind: fc.constant('open'), thread, outcome }),
  fc.record(
    {
      kind: fc.constant('call'),
      thread,
      object,
      request: fc.constantFrom('KVM_TDX_INIT_VM', 'KVM_RUN', '0xc008aeff'),
      args,
      outcome,
      durationNs: count,
    },
    { requiredKeys: ['kind', 'thread', 'object', 'request', 'args', 'outcome'] },
  ),
  fc.record({
    kind: fc.constant('seamcall'),
    cpu: count,
    leaf: fc.constantFrom('TDH.MNG.INIT', 'TDH.VP.ENTER'),
    operands: registers,
    status: fc.oneof(hex, fc.constantFrom('0x0', '0xc000060900000000')),
    outputs: registers,
    durationNs: count,
  }),
  fc.record(
    { kind: fc.constant('close'), object, durationNs: count },
    { requiredKeys: ['kind', 'object'] },
  ),
  fc.record({
    kind: fc.constant('end'),
    exit: fc.oneof(fc.record({ status: fc.integer() }), fc.record({ signal: text })),
  }),
);

const formats = [
  ['text', traceText],
  ['JSON', traceJsonLine],
] as const;

function readBack(lines: string): unknown[] {
  return [...parseTrace(lines.split('\n'))].map((line) => ('record' in line ? line.record : line));
}

describe.each(formats)('%s', (_, format) => {
  test.prop([record])('every record comes back as it was', (written) => {
    expect(readBack(format(written))).toEqual([written]);
  });

  test.prop([fc.array(record, { maxLength: 5 })])('records of one file do not mix', (written) => {
    expect(readBack(written.map(format).join('\n'))).toEqual(written);
  });

  test('the trace of a TD’s life comes back as it was', () => {
    const driver = new Driver();
    const records = recordAll(driver.machine);
    const { vm, vcpus, guestMemfd } = driver.builtTd(2);
    driver.capabilities(vm);
    driver.getCpuid(vcpus[0] as number);
    driver.initMemRegion(vcpus[0] as number, memRegion({ nrPages: 2n }), 1);
    driver.finalizeVm(vm);
    driver.finalizeVm(vm);
    driver.release(guestMemfd, ...vcpus, vm);
    expect(readBack(records.map(format).join('\n'))).toEqual(records);
  });

  test.prop([record, fc.nat(), fc.string({ unit: 'binary', minLength: 1, maxLength: 3 })])(
    'a damaged line is told by its number, or is another record; nothing is thrown',
    (written, at, damage) => {
      const whole = format(written);
      const cut = at % (whole.length + 1);
      for (const line of parseTrace([whole.slice(0, cut) + damage + whole.slice(cut + 1)])) {
        expect(line.line).toBe(1);
      }
    },
  );
});

test.prop([fc.string({ unit: 'binary' })])('any text is read without a throw', (any) => {
  for (const line of parseTrace(any.split('\n'))) expect(line.line).toBeGreaterThan(0);
});

test('what nests without end is told', () => {
  const deep = '['.repeat(100_000);
  expect([...parseTrace([`{"kind":${deep}`, `T0  vm#1.KVM_RUN(x=${deep}`])]).toEqual([
    { line: 1, problem: 'nests too deeply for a record of a trace' },
    { line: 2, problem: 'nests too deeply for a record of a trace' },
  ]);
});

test('a trace that was cut off says which line and column', () => {
  expect([
    ...parseTrace(['T0  vm#1.KVM_CREATE_VCPU(id=0', 'T0  vm#1.KVM_X(cpuid=[1 lines]) = 0']),
  ]).toMatchInlineSnapshot(`
      [
        {
          "line": 1,
          "problem": "")" is missing: the line was cut off (column 30)",
        },
        {
          "line": 2,
          "problem": "a line with a CPUID entry is missing (column 31)",
        },
      ]
    `);
});
