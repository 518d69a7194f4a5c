/** `struct kvm_sregs` as bytes. Source: arch/x86/include/uapi/asm/kvm.h, Linux 7.3. */
import { vcpuStateBytes } from './vcpu-state.ts';

/** `struct kvm_segment`; what is left out is 0. */
export interface Segment {
  readonly base?: bigint;
  readonly limit?: number;
  readonly selector?: number;
  readonly type?: number;
  readonly present?: boolean;
  readonly dpl?: number;
  /** 32 bits by default. */
  readonly db?: boolean;
  /** A segment of code or data, and not of the system. */
  readonly s?: boolean;
  /** Code of 64 bits. */
  readonly l?: boolean;
  /** The limit counts pages in the descriptor; KVM takes it in bytes all the same. */
  readonly g?: boolean;
  readonly unusable?: boolean;
}

/** `struct kvm_dtable`. */
export interface DescriptorTable {
  readonly base: bigint;
  readonly limit: number;
}

const segmentNames = ['cs', 'ds', 'es', 'fs', 'gs', 'ss', 'tr', 'ldt'] as const;
const tableNames = ['gdt', 'idt'] as const;
const controlNames = ['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'] as const;

/** All that a start of a vCPU says; the APIC's base stays as it is. */
export type SpecialRegisters = Readonly<
  Record<(typeof segmentNames)[number], Segment> &
    Record<(typeof tableNames)[number], DescriptorTable> &
    Record<(typeof controlNames)[number], bigint>
>;

const segmentBytes = 24;
const tableBytes = 16;
const tablesAt = segmentNames.length * segmentBytes;
const controlsAt = tablesAt + tableNames.length * tableBytes;

/** @param current what KVM_GET_SREGS gave, whose APIC base and pending interrupts are kept. */
export function withSregs(current: Uint8Array, registers: SpecialRegisters): Uint8Array {
  if (current.length !== vcpuStateBytes.KVM_GET_SREGS) throw new RangeError('no struct kvm_sregs');
  const bytes = Uint8Array.from(current);
  const view = new DataView(bytes.buffer);
  for (const [place, name] of segmentNames.entries()) {
    writeSegment(view, place * segmentBytes, registers[name]);
  }
  for (const [place, name] of tableNames.entries()) {
    const at = tablesAt + place * tableBytes;
    view.setBigUint64(at, registers[name].base, true);
    view.setUint16(at + 8, registers[name].limit, true);
  }
  for (const [place, name] of controlNames.entries()) {
    view.setBigUint64(controlsAt + place * 8, registers[name], true);
  }
  return bytes;
}

function writeSegment(view: DataView, at: number, segment: Segment): void {
  const { base = 0n, limit = 0, selector = 0, type = 0, dpl = 0 } = segment;
  const { present, db, s, l, g, unusable } = segment;
  view.setBigUint64(at, base, true);
  view.setUint32(at + 8, limit, true);
  view.setUint16(at + 12, selector, true);
  const fields = [type, present, dpl, db, s, l, g, 0, unusable];
  for (const [place, value] of fields.entries()) view.setUint8(at + 14 + place, Number(value ?? 0));
}
