/**
 * The example guest notices: whatever is changed of its state on the way to another VM, it says by name.
 * Without that, a move that loses nothing would be no news.
 */
import { expect, test } from 'vitest';
import type { Regs, VcpuState } from '../../native/index.ts';
import { type ExampleGuest, startExampleGuest } from './example-guest-support.ts';

type Writable = { -readonly [Key in keyof VcpuState]: VcpuState[Key] };
type Spoil = (state: Writable) => void;

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset);

/** A bit of a struct flips. */
const flip =
  (part: 'xsave' | 'debugregs', at: number): Spoil =>
  (state) => {
    state[part][at] = (state[part][at] ?? 0) ^ 0x10;
  };

const sregs =
  (at: number): Spoil =>
  (state) => {
    const bytes = state.sregs2 ?? state.sregs;
    if (!bytes) throw new Error('no sregs');
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  };

const general =
  (name: keyof Regs): Spoil =>
  (state) => {
    state.regs = { ...state.regs, [name]: state.regs[name] ^ 0x10n };
  };

const msr =
  (index: number): Spoil =>
  ({ msrs }) => {
    const view = viewOf(msrs);
    const at = [...Array(msrs.length / 16).keys()].find(
      (entry) => view.getUint32(16 * entry, true) === index,
    );
    if (at === undefined) throw new Error(`KVM does not list the MSR 0x${index.toString(16)}`);
    view.setUint8(16 * at + 8 + 1, view.getUint8(16 * at + 8 + 1) ^ 0x10);
  };

const taskPriority: Spoil = (state) => {
  const bytes = state.sregs2 ?? state.sregs;
  if (!bytes || !state.lapic) throw new Error('no task priority');
  bytes[256] = 9;
  state.lapic[0x80] = 0x90;
};

// Places in struct kvm_sregs and in the XSAVE area; AVX state is at 576 (Intel SDM, "XSAVE Area").
const fsBase = 72;
const gsBase = 96;
const cr2 = 232;
const fcw = 0;
const mxcsr = 24;
const st = (register: number) => 32 + 16 * register;
const xmm = (register: number) => 160 + 16 * register;
const ymm = (register: number) => 576 + 16 * register;

const spoiled: readonly (readonly [name: string, spoil: Spoil])[] = [
  ['rax', general('rax')],
  ['rbx', general('rbx')],
  ['rsi', general('rsi')],
  ['r8', general('r8')],
  ['r15', general('r15')],
  [
    'flags',
    (state) => {
      const direction = 0x400n;
      state.regs = { ...state.regs, rflags: state.regs.rflags & ~direction };
    },
  ],
  ['x87 control', flip('xsave', fcw)],
  ['mxcsr', flip('xsave', mxcsr)],
  ['st0', flip('xsave', st(0))],
  ['st7', flip('xsave', st(7) + 7)],
  ['xmm0', flip('xsave', xmm(0))],
  ['xmm15', flip('xsave', xmm(15) + 15)],
  ['cr2', sregs(cr2)],
  ['cr8', taskPriority],
  ['dr0', flip('debugregs', 0)],
  ['dr3', flip('debugregs', 24)],
  ['lstar', msr(0xc000_0082)],
  ['kernel_gs_base', msr(0xc000_0102)],
  ['sysenter_esp', msr(0x175)],
  ['fs_base', sregs(fsBase)],
  ['gs_base', sregs(gsBase)],
];

const upperHalves: typeof spoiled = [
  ['ymm0', flip('xsave', ymm(0))],
  ['ymm15', flip('xsave', ymm(15) + 15)],
];

/** What it says that it has lost until it has said two counts more. */
async function lostAfter(guest: ExampleGuest, act: () => Promise<void>): Promise<string[]> {
  const before = guest.lines.length;
  await act();
  await guest.counts(2);
  return guest.lines.slice(before).flatMap((line) => (line.kind === 'lost' ? [line.what] : []));
}

/** Moves it while it waits with all registers full, which it does nearly all the time. */
async function spoilOnTheWay(guest: ExampleGuest, spoil: Spoil): Promise<void> {
  const pause = Buffer.of(0xf3, 0x90);
  for (let waits = false; !waits; ) {
    await guest.move(([state]) => {
      if (!state) throw new Error('no vCPU');
      waits = guest.instructionAt(state.regs.rip, pause.length).equals(pause);
      if (waits) spoil(state);
    });
  }
}

async function expectNamed(guest: ExampleGuest, rows: typeof spoiled): Promise<void> {
  const said: (readonly [string, string[]])[] = [];
  for (const [name, spoil] of rows) {
    said.push([name, await lostAfter(guest, () => spoilOnTheWay(guest, spoil))]);
  }
  expect(said).toEqual(rows.map(([name]) => [name, [name]]));
}

test('every register that is spoiled on the way is named, once, and no other', async (context) => {
  const guest = await startExampleGuest(context, { vms: 2 });
  await guest.counts(1);
  await expectNamed(guest, spoiled);
});

test('so are the upper halves of AVX registers', async (context) => {
  const guest = await startExampleGuest(context, { vms: 2 });
  await guest.counts(1);
  const avx = 4n;
  await guest.move(([state]) => {
    // struct kvm_xcrs: the value of the first, XCR0, is at 16.
    const xcr0 = state && viewOf(state.xcrs).getBigUint64(16, true);
    if (((xcr0 ?? 0n) & avx) === 0n) context.skip('KVM gives a guest no AVX here');
  });
  await expectNamed(guest, upperHalves);
});

test('registers that are older than its memory are named', async (context) => {
  const guest = await startExampleGuest(context, { vms: 2 });
  await guest.counts(1);
  let old: Regs | undefined;
  await spoilOnTheWay(guest, ({ regs }) => {
    old = regs;
  });
  await guest.counts(1);
  const lost = await lostAfter(guest, () =>
    spoilOnTheWay(guest, (state) => {
      if (old) state.regs = old;
    }),
  );
  expect(lost).toEqual(['r15']);
});

test('a word of its memory that has changed is named', async (context) => {
  const guest = await startExampleGuest(context, { vms: 2 });
  await guest.counts(1);
  // The last words of the first vCPU's page: examples/guest/guest.inc.
  const at = 0x81_0ff8n;
  const lost = await lostAfter(guest, () => guest.move(() => guest.memory.write(at, Buffer.of(0))));
  expect(lost).toEqual(['memory']);
});
