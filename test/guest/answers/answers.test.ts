/** The answers to a TD's exits, on a VM of the simulated kernel: what KVM is told, and what the guest is. */
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { tdVmCallLeaves, tdVmCallStatuses } from '../../../src/abi/tdx/tdvmcall.ts';
import { quoteStatuses } from '../../../src/guest/answers/quote-header.ts';
import { type AnswerParts, type QuoteService, TdAnswers } from '../../../src/guest/index.ts';
import type { GuestExit } from '../../../src/host/guest.ts';
import { openSimulatedHost } from '../../../src/host/simulated/index.ts';

const { SUCCESS, RETRY, INVALID_OPERAND, ALIGN_ERROR } = tdVmCallStatuses;
const page = 4096n;
const mapped = 0n;
const refused = 22n;
/** Two slots side by side, and nothing above them. */
const slotBytes = 64n * page;

interface Asked {
  readonly gpa: bigint;
  readonly sizeBytes: bigint;
  readonly kind: string;
}

async function td(more: Partial<AnswerParts> = {}) {
  const host = openSimulatedHost({ profile: 'spr-1.5', kernelAbi: 'upstream-7.3' });
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  const slots = await Promise.all(
    [0, 1].map(async (slot) => {
      const memory = await host.mapMemory({ sizeBytes: slotBytes });
      const guestMemory = await vm.createGuestMemfd({ sizeBytes: slotBytes });
      const gpa = BigInt(slot) * slotBytes;
      await vm.setUserMemoryRegion2({
        ...{ slot, gpa, sizeBytes: slotBytes, memory, memoryOffsetBytes: 0n },
        guestMemory: { memory: guestMemory, offsetBytes: 0n },
      });
      return { gpa, sizeBytes: slotBytes, memory, guestMemory };
    }),
  );
  const asked: Asked[] = [];
  const warnings: string[] = [];
  const interrupts: string[] = [];
  const answers = new TdAnswers({
    slots,
    setKind: async (_slot, range, kind) => {
      asked.push({ ...range, kind });
      await vm.setMemoryAttributes({ ...range, isPrivate: kind === 'private' });
    },
    quotes: undefined,
    interrupt: async (apicId, vector) => void interrupts.push(`${vector} to ${apicId}`),
    apicIdOf: (vcpu) => 2 * vcpu,
    warn: (message) => void warnings.push(message),
    ...more,
  });
  const [first] = slots;
  if (first === undefined) throw new Error('there are two slots');
  return { answers, asked, warnings, interrupts, memory: first.memory };
}

const mapGpa = (gpa: bigint, pages: bigint, attributes: bigint): GuestExit => ({
  kind: 'hypercall',
  nr: 12n,
  args: [gpa, pages, attributes, 0n, 0n, 0n],
});
const shared = 0n;
const encrypted = 0x10n;
const fault = (gpa: bigint, flags: bigint, sizeBytes = page): GuestExit => ({
  kind: 'memory-fault',
  ...{ flags, gpa, sizeBytes },
});
const isPrivate = 8n;

describe('MapGPA', () => {
  test('is done slot by slot, where it spans two', async () => {
    const { answers, asked } = await td();
    expect(await answers.answer(0, mapGpa(62n * page, 4n, shared))).toEqual({ ret: mapped });
    expect(asked).toEqual([
      { gpa: 62n * page, sizeBytes: 2n * page, kind: 'shared' },
      { gpa: 64n * page, sizeBytes: 2n * page, kind: 'shared' },
    ]);
  });

  test.for([
    ['of no pages', mapGpa(0n, 0n, shared)],
    ['of an address within a page', mapGpa(1n, 1n, shared)],
    ['beyond the last address', mapGpa((1n << 64n) - page, 2n, shared)],
    ['of more than there are addresses', mapGpa(0n, (1n << 64n) - 1n, shared)],
    ['to private of what is no memory', mapGpa(128n * page, 1n, encrypted)],
    ['to private of what is partly memory', mapGpa(127n * page, 2n, encrypted)],
  ] as const)('%s is refused, and KVM is asked nothing', async ([, exit]) => {
    const { answers, asked } = await td();
    expect(await answers.answer(0, exit)).toEqual({ ret: refused });
    expect(asked).toEqual([]);
  });

  test('gives back what the guest has left behind in its shared memory', async () => {
    const { answers, memory } = await td();
    memory.write({ offsetBytes: 3n * page, bytes: Uint8Array.of(1, 2, 3) });
    await answers.answer(0, mapGpa(2n * page, 1n, encrypted));
    expect(memory.read(3n * page, 3)).toEqual(Uint8Array.of(1, 2, 3));
    await answers.answer(0, mapGpa(3n * page, 1n, encrypted));
    expect(memory.read(3n * page, 3)).toEqual(new Uint8Array(3));
  });

  test('of one range by several vCPUs is done one after the other', async () => {
    const { answers, asked, memory } = await td();
    const all = [shared, encrypted, shared, encrypted].map((kind, vcpu) =>
      answers.answer(vcpu, mapGpa(0n, 1n, kind)),
    );
    memory.write({ offsetBytes: 0n, bytes: Uint8Array.of(7) });
    expect(await Promise.all(all)).toEqual(Array.from({ length: 4 }, () => ({ ret: mapped })));
    expect(asked.map(({ kind }) => kind)).toEqual(['shared', 'private', 'shared', 'private']);
  });

  const u64 = fc.bigInt(0n, (1n << 64n) - 1n);
  const near = fc.bigInt(0n, 200n).map((pages) => pages * page);
  property.prop([fc.oneof(u64, near), fc.oneof(u64, fc.bigInt(0n, 200n)), u64])(
    'asks KVM for whole pages in slots alone, whatever the guest says',
    async (gpa, pages, attributes) => {
      const { answers, asked } = await td();
      const answer = await answers.answer(0, mapGpa(gpa, pages, attributes));
      expect([mapped, refused]).toContain(answer?.ret);
      for (const { gpa: from, sizeBytes } of asked) {
        expect(from % page).toBe(0n);
        expect(sizeBytes).toBeGreaterThan(0n);
        expect(from + sizeBytes).toBeLessThanOrEqual(2n * slotBytes);
      }
      expect(asked.length).toBeLessThanOrEqual(2);
    },
  );

  test('is the only hypercall that is known', async () => {
    const { answers } = await td();
    const other: GuestExit = { kind: 'hypercall', nr: 5n, args: [0n, 0n, 0n, 0n, 0n, 0n] };
    expect(await answers.answer(0, other)).toBeUndefined();
  });
});

describe('a memory fault', () => {
  test('is mended eight times in a row, and not the ninth', async () => {
    const { answers } = await td();
    for (let times = 0; times < 8; times++) {
      expect(await answers.answer(1, fault(0n, isPrivate))).toEqual({ retry: true });
    }
    expect(await answers.answer(1, fault(0n, isPrivate))).toBeUndefined();
    expect(answers.refusedFault).toContain('vCPU 1 touched 0x0 to 0xfff as private memory 9 times');
  });

  test.for([
    ['another exit', async (answers: TdAnswers) => answers.answer(0, mapGpa(0n, 1n, shared))],
    ['another place', async (answers: TdAnswers) => answers.answer(0, fault(page, isPrivate))],
    ['another vCPU the other way', async (answers: TdAnswers) => answers.answer(1, fault(0n, 0n))],
  ] as const)('counts anew after %s', async ([, between]) => {
    const { answers } = await td();
    for (let times = 0; times < 30; times++) {
      expect(await answers.answer(0, fault(0n, isPrivate))).toEqual({ retry: true });
      await between(answers);
    }
  });

  test.for([
    ['in no slot', fault(128n * page, isPrivate), 'not all in the TD'],
    ['with a flag that is not known', fault(0n, 16n), 'flags 0x10'],
    ['of no range', fault(0n, 0n, 0n), 'no range of pages'],
  ] as const)('%s is not mended, and why is known', async ([, exit, why]) => {
    const { answers } = await td();
    expect(await answers.answer(0, exit)).toBeUndefined();
    expect(answers.refusedFault).toContain(why);
  });
});

const getQuote = (gpa: bigint, size: bigint): GuestExit => ({
  kind: 'tdx',
  nr: tdVmCallLeaves.GetQuote,
  ...{ gpa, size },
});

function header(version: bigint, inBytes: number): Uint8Array {
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64LE(version, 0);
  bytes.writeUInt32LE(inBytes, 16);
  return bytes;
}

const statusIn = (bytes: Uint8Array) => Buffer.from(bytes).readBigUInt64LE(8);

/** A service whose answers are given by hand. */
function service() {
  const waiting: ((answer: Uint8Array | Error) => void)[] = [];
  const quotes: QuoteService = {
    name: 'unix:/qgs',
    ask: (_message, { signal }) =>
      new Promise((resolve, reject) => {
        waiting.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
        signal.addEventListener('abort', () => reject(new Error('given up')));
      }),
  };
  return { quotes, waiting };
}

function answerWith(quote: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(24 + quote.length);
  bytes.writeUInt16LE(1, 0);
  bytes.writeUInt16LE(1, 2);
  bytes.writeUInt32LE(1, 4);
  bytes.writeUInt32LE(bytes.length, 8);
  bytes.writeUInt32LE(quote.length, 20);
  bytes.set(quote, 24);
  return bytes;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('GetQuote', () => {
  test.for([
    ['of no bytes', getQuote(0n, 0n), INVALID_OPERAND],
    ['off the pages', getQuote(8n, page), ALIGN_ERROR],
    ['of a part of a page', getQuote(0n, page + 8n), ALIGN_ERROR],
    ['above 128 KiB', getQuote(0n, 33n * page), INVALID_OPERAND],
    ['across two slots', getQuote(63n * page, 2n * page), INVALID_OPERAND],
    ['outside of memory', getQuote(1n << 40n, page), INVALID_OPERAND],
    ['without a head', getQuote(0n, page), INVALID_OPERAND],
  ] as const)('%s is refused', async ([, exit, ret]) => {
    const { answers } = await td();
    expect(await answers.answer(0, exit)).toEqual({ ret });
  });

  test('without a service says so in the buffer', async () => {
    const { answers, memory } = await td();
    memory.write({ offsetBytes: 0n, bytes: header(1n, 8) });
    expect(await answers.answer(0, getQuote(0n, page))).toEqual({ ret: SUCCESS });
    expect(statusIn(memory.read(0n, 24))).toBe(quoteStatuses.SERVICE_UNAVAILABLE);
  });

  test('is in flight until the quote is there, and then the guest is told', async () => {
    const { quotes, waiting } = service();
    const { answers, memory, interrupts } = await td({ quotes });
    const vector: GuestExit = {
      kind: 'tdx',
      nr: tdVmCallLeaves.SetupEventNotifyInterrupt,
      vector: 0x50n,
    };
    expect(await answers.answer(3, vector)).toEqual({ ret: SUCCESS });
    memory.write({ offsetBytes: 0n, bytes: header(1n, 8) });
    expect(await answers.answer(0, getQuote(0n, page))).toEqual({ ret: SUCCESS });
    expect(statusIn(memory.read(0n, 24))).toBe(quoteStatuses.IN_FLIGHT);
    waiting[0]?.(answerWith(Buffer.from('the quote')));
    await turn();
    const told = Buffer.from(memory.read(0n, 33));
    expect(statusIn(told)).toBe(quoteStatuses.SUCCESS);
    expect(told.readUInt32LE(20)).toBe(9);
    expect(told.subarray(24).toString()).toBe('the quote');
    expect(interrupts).toEqual(['80 to 6']);
  });

  test('that fails is told as an error, in the buffer and by a warning', async () => {
    const { quotes, waiting } = service();
    const { answers, memory, warnings } = await td({ quotes });
    memory.write({ offsetBytes: 0n, bytes: header(1n, 8) });
    await answers.answer(0, getQuote(0n, page));
    waiting[0]?.(Buffer.from('no answer'));
    await turn();
    expect(statusIn(memory.read(0n, 24))).toBe(quoteStatuses.ERROR);
    expect(warnings).toEqual([
      "no quote for the guest's request at 0x0 to 0xfff: unix:/qgs: its answer has 9 bytes only",
    ]);
  });

  test('waits in sixteen buffers at most, and in none after the end', async () => {
    const { quotes } = service();
    const { answers, memory } = await td({ quotes });
    const all = [];
    for (let at = 0n; at < 17n; at++) {
      memory.write({ offsetBytes: at * page, bytes: header(1n, 8) });
      all.push((await answers.answer(0, getQuote(at * page, page)))?.ret);
    }
    expect(all).toEqual([...Array.from({ length: 16 }, () => SUCCESS), RETRY]);
    answers.close();
    await turn();
    for (let at = 0n; at < 16n; at++) {
      expect(statusIn(memory.read(at * page, 24))).toBe(quoteStatuses.ERROR);
    }
  });

  property.prop([fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 64 })])(
    'survives whatever the guest and the service say',
    async (buffer, reply) => {
      const { quotes, waiting } = service();
      const { answers, memory } = await td({ quotes });
      memory.write({ offsetBytes: 0n, bytes: buffer });
      const answer = await answers.answer(0, getQuote(0n, page));
      expect([SUCCESS, INVALID_OPERAND]).toContain(answer?.ret);
      waiting[0]?.(reply);
      await turn();
      expect(statusIn(memory.read(0n, 24))).not.toBe(quoteStatuses.IN_FLIGHT);
    },
  );
});

test('GetTdVmCallInfo tells of the interrupt, and an unknown call is left to KVM', async () => {
  const { answers } = await td();
  const info: GuestExit = { kind: 'tdx', nr: tdVmCallLeaves.GetTdVmCallInfo, leaf: 1n };
  expect(await answers.answer(0, info)).toMatchObject({ ret: SUCCESS, r11: 2n });
  expect(await answers.answer(0, { kind: 'tdx', nr: 0x10005n })).toBeUndefined();
  const vector = (number: bigint): GuestExit => ({
    kind: 'tdx',
    nr: tdVmCallLeaves.SetupEventNotifyInterrupt,
    vector: number,
  });
  for (const bad of [0n, 31n, 256n, 1n << 40n]) {
    expect(await answers.answer(0, vector(bad))).toEqual({ ret: INVALID_OPERAND });
  }
});
