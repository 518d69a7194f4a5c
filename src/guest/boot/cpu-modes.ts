/** The two modes in which kernels are entered: both with flat segments, and the GDT that says the same. */
import type { Segment, SpecialRegisters } from '../../abi/kvm/registers.ts';
import { places } from './places.ts';
import type { GuestWrite } from './types.ts';

const CR0_PE = 1n << 0n;
const CR0_ET = 1n << 4n;
const CR0_PG = 1n << 31n;
const CR4_PAE = 1n << 5n;
const EFER_LME = 1n << 8n;
const EFER_LMA = 1n << 10n;
/** Bit 1 is always 1; interrupts are off. */
export const rflagsAtEntry = 2n;

/** Of the GDT: arch/x86/include/asm/segment.h, __BOOT_CS, __BOOT_DS, __BOOT_TSS. */
const selectors = { code: 0x10, data: 0x18, task: 0x20 } as const;
/** Code that is read and executed, data that is written, and a task that is busy; all accessed. */
const types = { code: 0xb, data: 0x3, task: 0xb } as const;

const flat = { base: 0n, limit: 0xffff_ffff, present: 1, dpl: 0, s: 1, g: 1 };
const data: Segment = { ...flat, selector: selectors.data, type: types.data, db: 1, l: 0 };
const code32: Segment = { ...flat, selector: selectors.code, type: types.code, db: 1, l: 0 };
const code64: Segment = { ...code32, db: 0, l: 1 };
/** Nobody switches tasks: it is there because a CPU in protected mode has one. */
const task: Segment = {
  ...{ base: 0n, limit: 0x67, present: 1, dpl: 0, s: 0, g: 0, db: 0, l: 0 },
  ...{ selector: selectors.task, type: types.task },
};

interface Mode {
  readonly sregs: SpecialRegisters;
  readonly writes: readonly GuestWrite[];
}

/** Protected mode without paging. */
export function protectedMode(): Mode {
  return mode(code32, { cr0: CR0_PE | CR0_ET, cr3: 0n, cr4: 0n, efer: 0n });
}

/** Long mode, with the first 4 GiB mapped where they are. */
export function longMode(): Mode {
  const { sregs, writes } = mode(code64, {
    cr0: CR0_PE | CR0_ET | CR0_PG,
    cr3: places.pageTables,
    cr4: CR4_PAE,
    efer: EFER_LME | EFER_LMA,
  });
  return { sregs, writes: [...writes, identityPageTables()] };
}

function mode(
  code: Segment,
  control: Required<Pick<SpecialRegisters, 'cr0' | 'cr3' | 'cr4' | 'efer'>>,
): Mode {
  const table = new BigUint64Array(selectors.task / 8 + 1);
  for (const segment of [code, data, task]) table[segment.selector / 8] = descriptor(segment);
  const bytes = new Uint8Array(table.buffer);
  return {
    sregs: {
      cs: code,
      ...{ ds: data, es: data, fs: data, gs: data, ss: data, tr: task },
      gdt: { base: places.gdt, limit: bytes.length - 1 },
      // An exception before the kernel has its own table is to end the guest, and to run nothing.
      idt: { base: 0n, limit: 0 },
      ...control,
    },
    writes: [{ gpa: places.gdt, bytes }],
  };
}

/** Intel SDM, volume 3, 3.4.5 "Segment Descriptors"; every base is 0. */
function descriptor({ limit, type, present, dpl, db, s, l, g }: Segment): bigint {
  const units = g === 1 ? limit >>> 12 : limit;
  const low = units & 0xffff;
  const high =
    type |
    (s << 4) |
    (dpl << 5) |
    (present << 7) |
    (((units >>> 16) & 0xf) << 8) |
    (l << 13) |
    (db << 14) |
    (g << 15);
  return (BigInt(high) << 40n) | BigInt(low);
}

const pageBytes = 4096n;
const entriesOfTable = 512;
const presentWritable = 0b11n;
const largePage = 1n << 7n;
const largePageBytes = 2n << 20n;
/** Tables of level 2, of one GiB each. */
const gibMapped = 4;

function identityPageTables(): GuestWrite {
  const tables = new BigUint64Array((2 + gibMapped) * entriesOfTable);
  const addressOf = (table: number) => places.pageTables + BigInt(table) * pageBytes;
  tables[0] = addressOf(1) | presentWritable;
  for (let gib = 0; gib < gibMapped; gib += 1) {
    tables[entriesOfTable + gib] = addressOf(2 + gib) | presentWritable;
  }
  for (let page = 0; page < gibMapped * entriesOfTable; page += 1) {
    tables[2 * entriesOfTable + page] =
      (BigInt(page) * largePageBytes) | presentWritable | largePage;
  }
  return { gpa: places.pageTables, bytes: new Uint8Array(tables.buffer) };
}
