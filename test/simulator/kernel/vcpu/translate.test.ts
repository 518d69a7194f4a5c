/** KVM_TRANSLATE looks at the guest's page tables as the CPU would. */
import { expect, test } from 'vitest';
import { hostProfiles } from '../../../../src/simulator/index.ts';
import { supportedCpuid } from '../../../../src/simulator/kernel/cpuid/supported.ts';
import { Driver } from '../../drive.ts';
import { page, ramGpa, sourceAddress } from '../../structs.ts';
import { BytesValue } from '../../values.ts';

const invalid = (1n << 64n) - 1n;
const present = 0x3n;
const user = 0x4n;
const large = 0x80n;
const noExecute = 1n << 63n;
/** The tables are the first pages of the guest's memory. */
const table = (n: number) => ramGpa + BigInt(n) * page;

interface Mode {
  readonly cr4: bigint;
  readonly efer: bigint;
  readonly rflags?: bigint;
}

const modes = {
  '32 bits': { cr4: 0x10n, efer: 0n },
  '32 bits without large pages': { cr4: 0n, efer: 0n },
  PAE: { cr4: 0x30n, efer: 0x800n },
  '4 levels': { cr4: 0x20n, efer: 0xd00n },
  '5 levels': { cr4: 0x1020n, efer: 0xd00n },
} as const satisfies Record<string, Mode>;

/** A guest of 46 address bits. */
const cpuid = supportedCpuid(hostProfiles['spr-1.5'].platform).map((entry) =>
  entry.function === 0x8000_0008 ? { ...entry, eax: (entry.eax & ~0xff) | 46 } : entry,
);

/** Entries: table, index, entry. */
type Entries = readonly (readonly [table: number, index: number, entry: bigint])[];

function translated(mode: Mode | undefined, entries: Entries, linear: bigint) {
  const driver = new Driver();
  const vm = driver.plainVm('split');
  expect(driver.setSlot(vm, undefined)).toBe(0);
  const vcpu = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
  driver.setCpuid2(vcpu, cpuid);
  if (mode !== undefined) {
    const sregs = new BytesValue(312);
    driver.must(vcpu, { request: 'KVM_GET_SREGS', state: sregs });
    sregs.view.setBigUint64(224, 0x8000_0001n, true);
    sregs.view.setBigUint64(240, table(0), true);
    sregs.view.setBigUint64(248, mode.cr4, true);
    sregs.view.setBigUint64(264, mode.efer, true);
    driver.must(vcpu, { request: 'KVM_SET_SREGS', state: sregs });
    const regs = new BytesValue(144);
    regs.view.setBigUint64(136, mode.rflags ?? 2n, true);
    driver.must(vcpu, { request: 'KVM_SET_REGS', state: regs });
  }
  const entryBytes = mode === undefined || (mode.cr4 & 0x20n) !== 0n ? 8 : 4;
  for (const [at, index, entry] of entries) {
    driver.words.set(sourceAddress + BigInt(at) * page + BigInt(index * entryBytes), entry);
  }
  const struct = new BytesValue(24);
  struct.view.setBigUint64(0, linear, true);
  driver.must(vcpu, { request: 'KVM_TRANSLATE', struct });
  const address = struct.view.getBigUint64(8, true);
  expect(struct.view.getUint8(16)).toBe(address === invalid ? 0 : 1);
  return address;
}

test('without paging an address is its own translation, but the highest is none', () => {
  expect(translated(undefined, [], 0x12345n)).toBe(0x12345n);
  expect(translated(undefined, [], invalid)).toBe(invalid);
});

const leaf = 0x1234_5000n | present;

test.for<[keyof typeof modes, Entries, bigint, bigint]>([
  [
    '32 bits',
    [
      [0, 1, table(1) | present],
      [1, 2, leaf],
    ],
    0x40_2678n,
    0x1234_5678n,
  ],
  // Bits 13 to 16 of a page of 4 MiB are bits 32 to 35 of its address.
  ['32 bits', [[0, 1, 0x1240_6000n | large | present]], 0x40_2678n, 0x3_1240_2678n],
  [
    '32 bits without large pages',
    [
      [0, 1, table(1) | large | present],
      [1, 2, leaf],
    ],
    0x40_2678n,
    0x1234_5678n,
  ],
  [
    'PAE',
    [
      [0, 3, table(1) | 1n],
      [1, 1, table(2) | present],
      [2, 2, leaf | noExecute],
    ],
    0xc020_2678n,
    0x1234_5678n,
  ],
  [
    '4 levels',
    [
      [0, 1, table(1) | present],
      [1, 2, table(2) | present],
      [2, 3, table(3) | present],
      [3, 4, leaf],
    ],
    0x80_8060_4678n,
    0x1234_5678n,
  ],
  [
    '4 levels',
    [
      [0, 1, table(1) | present],
      [1, 2, 0x40_0000_0000n | large | present],
    ],
    0x80_8060_4678n,
    0x40_0060_4678n,
  ],
  [
    '5 levels',
    [
      [0, 1, table(1) | present],
      [1, 0, table(2) | present],
      [2, 0, table(3) | present],
      [3, 0, 0x20_0000n | large | present],
    ],
    0x1_0000_0000_5678n,
    0x20_5678n,
  ],
])('%s: the tables are followed to the page', ([mode, entries, linear, expected]) => {
  expect(translated(modes[mode], entries, linear)).toBe(expected);
});

const path = (last: bigint): Entries => [
  [0, 0, table(1) | present | user],
  [1, 0, table(2) | present | user],
  [2, 0, table(3) | present | user],
  [3, 0, last],
];

test.for<[string, Mode, Entries]>([
  ['an entry that is not present', modes['4 levels'], path(0x1000n)],
  ['an address that the guest’s CPU has not', modes['4 levels'], path((1n << 51n) | present)],
  [
    'the bit that forbids execution, where the guest has it off',
    { ...modes['4 levels'], efer: 0x500n },
    path(leaf | noExecute),
  ],
  ['a table outside the guest’s memory', modes['4 levels'], [[0, 0, 0x7000_0000n | present]]],
  ['a large page at the fourth level', modes['4 levels'], [[0, 0, table(1) | large | present]]],
  [
    'a large page that is not aligned',
    modes['4 levels'],
    [
      [0, 0, table(1) | present],
      [1, 0, table(2) | present],
      [2, 0, 0x2000n | large | present],
    ],
  ],
  ['a page of the user, with SMAP', { ...modes['4 levels'], cr4: 0x20_0020n }, path(leaf | user)],
])('%s has no translation', ([, mode, entries]) => {
  expect(translated(mode, entries, 0n)).toBe(invalid);
});

test('a page of the user may be looked at with SMAP where the guest has set AC', () => {
  const mode = { ...modes['4 levels'], cr4: 0x20_0020n, rflags: 0x4_0002n };
  expect(translated(mode, path(leaf | user), 0n)).toBe(0x1234_5000n);
});

test('a table that the caller has not mapped has no translation', () => {
  const driver = new Driver();
  const vm = driver.plainVm('split');
  driver.setSlot(vm, undefined);
  const vcpu = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 0 });
  driver.setCpuid2(vcpu, cpuid);
  const sregs = new BytesValue(312);
  driver.must(vcpu, { request: 'KVM_GET_SREGS', state: sregs });
  sregs.view.setBigUint64(224, 0x8000_0001n, true);
  sregs.view.setBigUint64(240, table(0), true);
  driver.must(vcpu, { request: 'KVM_SET_SREGS', state: sregs });
  driver.unreadable.add(sourceAddress);
  const struct = new BytesValue(24);
  driver.must(vcpu, { request: 'KVM_TRANSLATE', struct });
  expect(struct.view.getBigUint64(8, true)).toBe(invalid);
});
