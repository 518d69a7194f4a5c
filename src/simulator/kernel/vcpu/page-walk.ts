/**
 * The walk through a guest's page tables for a read by the kernel itself: kvm_mmu_gva_to_gpa_system() with
 * FNAME(walk_addr_generic) in arch/x86/kvm/mmu/paging_tmpl.h. It sets no accessed bit, because callers here
 * have no memory that the model may write, and looks at no protection key.
 */
import { msr } from '../../../abi/kvm/msrs.ts';
import { PAGE_SIZE } from '../../../abi/kvm/structs.ts';
import type { UserMemory } from '../../interface.ts';
import type { Kernel } from '../kernel.ts';
import { readGuestMsr } from '../msrs/guest-msrs.ts';
import type { Vcpu } from '../objects.ts';
import { isLegalGpa } from './cpuid.ts';
import { efer } from './efer.ts';
import { guestHas, isAmdCompatible } from './guest-cpu-caps.ts';
import { currentState } from './vcpu-state.ts';

export interface Walk {
  readonly kernel: Kernel;
  readonly vcpu: Vcpu;
  readonly memory: UserMemory;
}

/** How linear addresses are cut: into so many indexes of so many bits above the offset in a page. */
interface Paging {
  readonly levels: number;
  readonly indexBits: bigint;
  readonly entryBytes: 4 | 8;
}

const paging = {
  of32Bits: { levels: 2, indexBits: 10n, entryBytes: 4 },
  /** Below the four pointers of page directories, which KVM keeps in registers. */
  pae: { levels: 2, indexBits: 9n, entryBytes: 8 },
  fourLevels: { levels: 4, indexBits: 9n, entryBytes: 8 },
  fiveLevels: { levels: 5, indexBits: 9n, entryBytes: 8 },
} as const satisfies Record<string, Paging>;

/** Offsets in `struct kvm_sregs`, and of RFLAGS in `struct kvm_regs`. */
const at = { cr0: 224, cr3: 240, cr4: 248, rflags: 136 } as const;
const CR0_PG = 1n << 31n;
const cr4 = { PSE: 1n << 4n, PAE: 1n << 5n, LA57: 1n << 12n, SMAP: 1n << 21n } as const;
const RFLAGS_AC = 1n << 18n;
const entry = { present: 1n, user: 4n, large: 1n << 7n } as const;
const PAGE_BITS = 12n;

interface Registers {
  readonly paging: Paging;
  readonly cr3: bigint;
  readonly pse: boolean;
  readonly noExecute: boolean;
  /** The kernel may not read what is the user's (SMAP without AC). */
  readonly userIsBarred: boolean;
}

/** @returns undefined where there is no translation. */
export function translateAddress(walk: Walk, linear: bigint): bigint | undefined {
  const registers = registersOf(walk);
  if (registers === undefined) return linear;
  const { paging: kind, cr3 } = registers;
  if (kind !== paging.pae) return descend(walk, registers, linear, cr3);
  const directory = directoryPointer(walk, cr3, linear);
  return isPresent(directory) ? descend(walk, registers, linear, directory) : undefined;
}

/** @returns undefined without paging. The CR0 of a TD is not KVM's to see, and reads 0. */
function registersOf({ kernel, vcpu }: Walk): Registers | undefined {
  const sregs = viewOf(currentState(vcpu, 'SREGS'));
  if (vcpu.vm.isTd || (sregs.getBigUint64(at.cr0, true) & CR0_PG) === 0n) return undefined;
  const bits = sregs.getBigUint64(at.cr4, true);
  const has = (bit: bigint) => (bits & bit) !== 0n;
  const model = readGuestMsr(kernel, vcpu, msr.EFER) ?? 0n;
  const rflags = viewOf(currentState(vcpu, 'REGS')).getBigUint64(at.rflags, true);
  const isLong = (model & efer.LMA) !== 0n;
  const longPaging = has(cr4.LA57) ? paging.fiveLevels : paging.fourLevels;
  return {
    paging: isLong ? longPaging : has(cr4.PAE) ? paging.pae : paging.of32Bits,
    cr3: sregs.getBigUint64(at.cr3, true),
    pse: has(cr4.PSE),
    noExecute: (model & efer.NX) !== 0n,
    userIsBarred: has(cr4.SMAP) && (rflags & RFLAGS_AC) === 0n,
  };
}

function directoryPointer(walk: Walk, cr3: bigint, linear: bigint): bigint | undefined {
  const index = Number((linear >> 30n) & 3n);
  const kept = walk.vcpu.state.get('PDPTRS');
  if (kept !== undefined) return viewOf(kept).getBigUint64(index * 8, true);
  return readEntry(walk, (cr3 & 0xffff_ffe0n) + BigInt(index * 8), 8);
}

/** @param root CR3 or the entry above, whose address is the first table's. */
function descend(
  walk: Walk,
  registers: Registers,
  linear: bigint,
  root: bigint,
): bigint | undefined {
  const { levels, indexBits, entryBytes } = registers.paging;
  let above = root;
  let isUsers = true;
  for (let level = levels; ; level--) {
    const shift = PAGE_BITS + indexBits * BigInt(level - 1);
    const index = (linear >> shift) & ((1n << indexBits) - 1n);
    const table = frameOf(above, entryBytes, 0n);
    const found = readEntry(walk, table + index * BigInt(entryBytes), entryBytes);
    if (!isPresent(found) || hasReservedBits(walk, registers, level, found)) return undefined;
    isUsers &&= (found & entry.user) !== 0n;
    if (isLast(registers, level, found)) {
      if (isUsers && registers.userIsBarred) return undefined;
      const offset = (1n << shift) - 1n;
      return frameOf(found, entryBytes, offset) | (linear & offset);
    }
    above = found;
  }
}

function isPresent(found: bigint | undefined): found is bigint {
  return found !== undefined && (found & entry.present) !== 0n;
}

function isLast({ paging: { entryBytes }, pse }: Registers, level: number, found: bigint): boolean {
  const isLarge = (found & entry.large) !== 0n;
  return level === 1 || (isLarge && (entryBytes === 8 || pse));
}

/** Of a large page of 4 MiB, bits 13 to 16 are those of the address above 4 GiB (PSE-36). */
function frameOf(found: bigint, entryBytes: 4 | 8, offset: bigint): bigint {
  if (entryBytes === 8) return found & bits(12, 51) & ~offset;
  const high = offset > 0xfffn ? (found & bits(13, 16)) << 19n : 0n;
  return (found & bits(12, 31) & ~offset) | high;
}

/** __reset_rsvds_bits_mask() in arch/x86/kvm/mmu/mmu.c. */
function hasReservedBits(
  { kernel, vcpu }: Walk,
  { paging: kind, pse, noExecute }: Registers,
  level: number,
  found: bigint,
): boolean {
  const isLarge = (found & entry.large) !== 0n;
  if (kind.entryBytes === 4) {
    return level === 2 && isLarge && pse && (found & bits(17, 21)) !== 0n;
  }
  const highest = kind === paging.pae ? 62 : 51;
  if (!isLegalGpa(vcpu, found & bits(0, highest))) return true;
  let reserved = noExecute ? 0n : bits(63, 63);
  if (level >= 4) reserved |= isAmdCompatible(vcpu) ? bits(7, 8) : bits(7, 7);
  if (level === 3 && isLarge) {
    reserved |= guestHas(kernel, vcpu, 'GBPAGES') ? bits(13, 29) : bits(7, 7);
  }
  if (level === 2 && isLarge) reserved |= bits(13, 20);
  return (found & reserved) !== 0n;
}

function readEntry(
  { vcpu: { vm }, memory }: Walk,
  gpa: bigint,
  entryBytes: 4 | 8,
): bigint | undefined {
  const gfn = Number(gpa / PAGE_SIZE);
  const slot = vm.slots.at(gfn);
  if (slot === undefined) return undefined;
  const place = BigInt(gfn - slot.baseGfn) * PAGE_SIZE + (gpa % PAGE_SIZE);
  const bytes = memory.read(slot.userspaceAddr + place, entryBytes);
  if (bytes === undefined) return undefined;
  const view = viewOf(bytes);
  return entryBytes === 8 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
}

function bits(lowest: number, highest: number): bigint {
  return (1n << BigInt(highest + 1)) - (1n << BigInt(lowest));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
