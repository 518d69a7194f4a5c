/** Registers of a vCPU, as far as who starts a guest sets them. Source: arch/x86/include/uapi/asm/kvm.h, Linux 7.3. */

/** The fields of `struct kvm_regs`, in its order. */
const generalRegisters = [
  ...(['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rsp', 'rbp'] as const),
  ...(['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip', 'rflags'] as const),
] as const;

export type GeneralRegisters = Readonly<Record<(typeof generalRegisters)[number], bigint>>;

/** All that are not named are 0. */
export function generalRegistersOf(named: Partial<GeneralRegisters>): GeneralRegisters {
  const zeros = Object.fromEntries(generalRegisters.map((name) => [name, 0n]));
  return { ...(zeros as GeneralRegisters), ...named };
}

/** The fields of `struct kvm_segment`, in its order. */
export interface Segment {
  readonly base: bigint;
  readonly limit: number;
  readonly selector: number;
  readonly type: number;
  readonly present: number;
  readonly dpl: number;
  readonly db: number;
  readonly s: number;
  readonly l: number;
  readonly g: number;
}

/** `struct kvm_dtable`. */
export interface DescriptorTable {
  readonly base: bigint;
  readonly limit: number;
}

const segmentOffsets = {
  cs: 0,
  ds: 24,
  es: 48,
  fs: 72,
  gs: 96,
  ss: 120,
  tr: 144,
  ldt: 168,
} as const;
const tableOffsets = { gdt: 192, idt: 208 } as const;
const controlOffsets = { cr0: 224, cr2: 232, cr3: 240, cr4: 248, cr8: 256, efer: 264 } as const;

const offsetOfSegment = { limit: 8, selector: 12, type: 14, unusable: 22 } as const;
const offsetOfTableLimit = 8;

export type SpecialRegisters = {
  readonly [Name in keyof typeof segmentOffsets]?: Segment;
} & {
  readonly [Name in keyof typeof tableOffsets]?: DescriptorTable;
} & {
  readonly [Name in keyof typeof controlOffsets]?: bigint;
};

/** Where a vCPU starts. */
export interface StartRegisters {
  readonly regs: GeneralRegisters;
  readonly sregs: SpecialRegisters;
}

const namesIn = <Offsets extends object>(offsets: Offsets) =>
  Object.keys(offsets) as (keyof Offsets)[];

/** Gives a `struct kvm_sregs`, or `kvm_sregs2`, with these registers and all else as it is in `sregs`. */
export function withSpecialRegisters(sregs: Uint8Array, changed: SpecialRegisters): Uint8Array {
  const bytes = Uint8Array.from(sregs);
  const view = new DataView(bytes.buffer);
  for (const name of namesIn(segmentOffsets)) {
    const segment = changed[name];
    if (segment) writeSegment(view, segmentOffsets[name], segment);
  }
  for (const name of namesIn(tableOffsets)) {
    const table = changed[name];
    if (!table) continue;
    view.setBigUint64(tableOffsets[name], table.base, true);
    view.setUint16(tableOffsets[name] + offsetOfTableLimit, table.limit, true);
  }
  for (const name of namesIn(controlOffsets)) {
    const value = changed[name];
    if (value !== undefined) view.setBigUint64(controlOffsets[name], value, true);
  }
  return bytes;
}

function writeSegment(view: DataView, at: number, segment: Segment): void {
  const { base, limit, selector, type, present, dpl, db, s, l, g } = segment;
  view.setBigUint64(at, base, true);
  view.setUint32(at + offsetOfSegment.limit, limit, true);
  view.setUint16(at + offsetOfSegment.selector, selector, true);
  [type, present, dpl, db, s, l, g].forEach((value, index) => {
    view.setUint8(at + offsetOfSegment.type + index, value);
  });
  view.setUint8(at + offsetOfSegment.unusable, 0);
}
