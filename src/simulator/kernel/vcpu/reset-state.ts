/**
 * A reset leaves a vCPU in this state, given here in the bytes of its structs (SDM, "Processor State
 * After Reset"; recorded from /dev/kvm, Linux 6.18). SREGS and SREGS2 have all but their ends in
 * common.
 */
import type { StateName, Vcpu } from '../objects.ts';

/** The size is enough for any of the structs. */
const mostBytes = 4096;

// Each KVM_RUN reads some of it, and what is the same for many vCPUs need not be made for each of them.
const made = new Map<StateName, Map<number, Uint8Array>>();

/** Whoever changes a state writes into a copy: these bytes are those of other vCPUs, too. */
export function resetState(state: StateName, vcpu: Vcpu): Uint8Array {
  const ofState = made.get(state) ?? new Map<number, Uint8Array>();
  if (ofState.size === 0) made.set(state, ofState);
  const kind = kindOf(state, vcpu);
  const known = ofState.get(kind);
  if (known !== undefined) return known;
  const bytes = new Uint8Array(mostBytes);
  fill[state]?.(new DataView(bytes.buffer), vcpu);
  ofState.set(kind, bytes);
  return bytes;
}

/** A number for all that a state after a reset depends on. */
function kindOf(state: StateName, { id, vm }: Vcpu): number {
  return 2 * (state === 'LAPIC' ? id : 0) + (id === vm.bootVcpuId ? 1 : 0);
}

type Fill = (view: DataView, vcpu: Vcpu) => void;

const fill: Readonly<Partial<Record<StateName, Fill>>> = {
  REGS: (view) => {
    // RDX holds the family of a processor whose CPUID is not known yet; RIP and RFLAGS follow.
    view.setUint32(24, 0x600, true);
    view.setUint32(128, 0xfff0, true);
    view.setUint32(136, 2, true);
  },
  SREGS: fillSregs,
  FPU: (view) => view.setUint16(128, 0x37f, true),
  XSAVE: (view) => {
    // The values are those of FCW, of MXCSR and of the mask of MXCSR.
    view.setUint16(0, 0x37f, true);
    view.setUint32(24, 0x1f80, true);
    view.setUint32(28, 0xffff, true);
  },
  XCRS: (view) => {
    // The struct has one register, which is XCR0 with x87 enabled.
    view.setUint32(0, 1, true);
    view.setUint32(16, 1, true);
  },
  LAPIC: fillLapic,
  DEBUGREGS: (view) => {
    view.setUint32(32, 0xffff_0ff0, true);
    view.setUint32(40, 0x400, true);
  },
};

/**
 * Each row gives the number of a `struct kvm_segment`, which has 24 bytes, and the type of the
 * selector.
 */
const segments = [
  { type: 0xb, isSystem: false },
  ...Array.from({ length: 5 }, () => ({ type: 3, isSystem: false })),
  { type: 0xb, isSystem: true },
  { type: 2, isSystem: true },
] as const;

function fillSregs(view: DataView, { id, vm }: Vcpu): void {
  for (const [i, { type, isSystem }] of segments.entries()) {
    const segment = 24 * i;
    view.setUint32(segment + 8, 0xffff, true);
    view.setUint8(segment + 14, type);
    // The segment is present. If it is one of code or data, its S bit is set.
    view.setUint8(segment + 15, 1);
    view.setUint8(segment + 18, isSystem ? 0 : 1);
  }
  // The base of CS is where the reset vector is.
  view.setUint32(0, 0xffff_0000, true);
  view.setUint16(12, 0xf000, true);
  // The values are the limits of the GDT and the IDT.
  view.setUint16(200, 0xffff, true);
  view.setUint16(216, 0xffff, true);
  // CR0 has CD, NW and ET set; IA32_APICBASE follows.
  view.setUint32(224, 0x6000_0010, true);
  view.setUint32(272, id === vm.bootVcpuId ? 0xfee0_0900 : 0xfee0_0800, true);
}

/** Offsets of the registers in the APIC's page. */
const apicRegister = { id: 0x20, version: 0x30, dfr: 0xe0, spiv: 0xf0, lvtt: 0x320 } as const;
const masked = 0x1_0000;
/** LINT0 passes the PIC's interrupts to the boot processor. */
const lint0 = { offset: 0x350, extInt: 0x700 } as const;

function fillLapic(view: DataView, { id, vm }: Vcpu): void {
  view.setUint32(apicRegister.id, id << 24, true);
  view.setUint32(apicRegister.version, 0x5_0014, true);
  view.setUint32(apicRegister.dfr, 0xffff_ffff, true);
  view.setUint32(apicRegister.spiv, 0xff, true);
  for (let i = 0; i < 6; i++) view.setUint32(apicRegister.lvtt + 16 * i, masked, true);
  if (id === vm.bootVcpuId) view.setUint32(lint0.offset, lint0.extInt, true);
}
