/**
 * Registers of the in-kernel local APIC, as x2APIC MSRs and those of Hyper-V reach them:
 * kvm_lapic_msr_read() and kvm_lapic_msr_write() in arch/x86/kvm/lapic.c. They are bytes of the page that
 * KVM_GET_LAPIC shows. No interrupt goes anywhere from here: there is no guest that could get one.
 */
import { msr } from '../../../abi/kvm/msrs.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { guestHas } from '../vcpu/guest-cpu-caps.ts';
import { resetState } from '../vcpu/reset-state.ts';

/** By number, which is the offset in the page over 16, and the index in x2APIC mode. */
const register = {
  ID: 0x02,
  LVR: 0x03,
  TASKPRI: 0x08,
  PROCPRI: 0x0a,
  EOI: 0x0b,
  LDR: 0x0d,
  SPIV: 0x0f,
  ISR: 0x10,
  ESR: 0x28,
  LVTCMCI: 0x2f,
  ICR: 0x30,
  LVTT: 0x32,
  LVTTHMR: 0x33,
  LVTPC: 0x34,
  LVT0: 0x35,
  LVT1: 0x36,
  LVTERR: 0x37,
  TMICT: 0x38,
  TMCCT: 0x39,
  TDCR: 0x3e,
  SELF_IPI: 0x3f,
} as const;

const isIn = (first: number, last: number) => (index: number) => index >= first && index <= last;
/** ISR, TMR and IRR have eight registers each. */
const isVectorSet = isIn(register.ISR, register.ISR + 23);
const isReadable = (index: number) =>
  isVectorSet(index) || (index !== register.EOI && index !== register.SELF_IPI && known.has(index));
const known: ReadonlySet<number> = new Set(Object.values(register));

/** The local vector table entries that are written with these bits. */
const lvt = { vector: 0xff, pending: 0x1000, masked: 0x1_0000, mode: 0x700, pin: 0xe000 } as const;
const lvtBits = lvt.vector | lvt.pending | lvt.masked;
const lvtMasks: ReadonlyMap<number, number> = new Map([
  [register.LVTT, lvtBits],
  [register.LVTTHMR, lvtBits | lvt.mode],
  [register.LVTPC, lvtBits | lvt.mode],
  [register.LVT0, lvtBits | lvt.mode | lvt.pin],
  [register.LVT1, lvtBits | lvt.mode | lvt.pin],
  [register.LVTERR, lvtBits],
  [register.LVTCMCI, lvtBits | lvt.mode],
]);
const timerMode = { all: 3 << 17, periodic: 1 << 17, tscDeadline: 2 << 17 } as const;
const softwareEnabled = 0x100;
const lvrDirectedEoi = 1 << 24;
const icr = { reserved: 0xfff3_2000n, busy: 1n << 12n } as const;
const apicBase = { enabled: 1n << 11n, x2apic: 1n << 10n } as const;
const MCG_CMCI_P = 1n << 10n;

/** Undefined: there is no such register to read. */
export function readLapicRegister(vcpu: Vcpu, index: number): bigint | undefined {
  if (!isReadable(index) || !hasEntry(vcpu, index)) return undefined;
  if (isX2apic(vcpu)) {
    if (index === register.ID) return BigInt(vcpu.id);
    if (index === register.LDR) return logicalId(vcpu.id);
  }
  const page = viewOf(vcpu);
  return index === register.ICR
    ? page.getBigUint64(16 * index, true)
    : BigInt(page.getUint32(16 * index, true));
}

/** False: the register does not take the value. */
export function writeLapicRegister(
  kernel: Kernel,
  vcpu: Vcpu,
  index: number,
  data: bigint,
): boolean {
  if (index === register.ICR) {
    if ((data & icr.reserved) !== 0n) return false;
    put(vcpu, (page) => page.setBigUint64(16 * index, data & ~icr.busy, true));
    return true;
  }
  if (data >> 32n !== 0n) return false;
  const value = Number(data);
  const mask = maskOf(kernel, vcpu, index);
  if (mask !== undefined) {
    const page = viewOf(vcpu);
    const isOff = (page.getUint32(16 * register.SPIV, true) & softwareEnabled) === 0;
    const forced = lvtMasks.has(index) && isOff ? lvt.masked : 0;
    put(vcpu, (own) => own.setUint32(16 * index, ((value | forced) & mask) >>> 0, true));
    if (index === register.SPIV && (value & softwareEnabled) === 0) maskEntries(vcpu);
    return true;
  }
  if (index === register.EOI) return true;
  if (index === register.ESR) return !isX2apic(vcpu) || value === 0;
  return index === register.SELF_IPI && isX2apic(vcpu) && value <= 0xff;
}

/** Bits that a register keeps of what is written, undefined where it is none that keeps what it gets. */
function maskOf(kernel: Kernel, vcpu: Vcpu, index: number): number | undefined {
  switch (index) {
    case register.TASKPRI:
      return 0xff;
    case register.SPIV: {
      const lvr = viewOf(vcpu).getUint32(16 * register.LVR, true);
      return (lvr & lvrDirectedEoi) === 0 ? 0x3ff : 0x13ff;
    }
    case register.LVTT:
      return lvtBits | timerModes(kernel, vcpu);
    case register.TMICT:
      return 0xffff_ffff;
    case register.TDCR:
      return 0xb;
    default:
      return hasEntry(vcpu, index) ? lvtMasks.get(index) : undefined;
  }
}

/** Corrected machine checks have an entry where KVM_X86_SETUP_MCE has given them an interrupt. */
function hasEntry({ mcgCap }: Vcpu, index: number): boolean {
  return index !== register.LVTCMCI || (mcgCap & MCG_CMCI_P) !== 0n;
}

function timerModes(kernel: Kernel, vcpu: Vcpu): number {
  return guestHas(kernel, vcpu, 'TSC_DEADLINE_TIMER') ? timerMode.all : timerMode.periodic;
}

/** Only then there is a deadline to read or to set. */
export function timerHasDeadline(kernel: Kernel, vcpu: Vcpu): boolean {
  if (vcpu.vm.irqchip === 'none' || (baseOf(vcpu) & apicBase.enabled) === 0n) return false;
  const mode = viewOf(vcpu).getUint32(16 * register.LVTT, true) & timerModes(kernel, vcpu);
  return mode === timerMode.tscDeadline;
}

export function isX2apic(vcpu: Vcpu): boolean {
  const both = apicBase.enabled | apicBase.x2apic;
  return (baseOf(vcpu) & both) === both;
}

/** IA32_APICBASE. A TD's is in x2APIC mode from KVM_TDX_INIT_VCPU on. */
export function baseOf({ msrs, id, vm, td }: Vcpu): bigint {
  const kept = msrs.get(msr.IA32_APICBASE);
  if (kept !== undefined) return kept;
  const bsp = id === vm.bootVcpuId ? 1n << 8n : 0n;
  const x2apic = td?.x2apicBaseSet === true ? apicBase.x2apic : 0n;
  return 0xfee0_0000n | apicBase.enabled | x2apic | bsp;
}

/** The logical id has the cluster in its upper half, and a bit for the place in it. */
function logicalId(id: number): bigint {
  return (BigInt(id >>> 4) << 16n) | (1n << BigInt(id & 0xf));
}

function viewOf(vcpu: Vcpu): DataView {
  const page = vcpu.state.get('LAPIC') ?? resetState('LAPIC', vcpu);
  return new DataView(page.buffer, page.byteOffset, page.byteLength);
}

function put(vcpu: Vcpu, write: (page: DataView) => void): void {
  const page = Uint8Array.from(vcpu.state.get('LAPIC') ?? resetState('LAPIC', vcpu));
  write(new DataView(page.buffer));
  vcpu.state.set('LAPIC', page);
}

/** An APIC that software has switched off delivers nothing. */
function maskEntries(vcpu: Vcpu): void {
  put(vcpu, (page) => {
    for (const index of lvtMasks.keys()) {
      if (!hasEntry(vcpu, index)) continue;
      page.setUint32(16 * index, page.getUint32(16 * index, true) | lvt.masked, true);
    }
  });
}
