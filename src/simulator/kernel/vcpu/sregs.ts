/**
 * Special registers: kvm_is_valid_sregs() and __set_sregs_common() in arch/x86/kvm/regs.c. Some of them are
 * MSRs as well, and are kept as these.
 */
import { msr } from '../../../abi/kvm/msrs.ts';
import type { CopiedIn, Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { readGuestMsr } from '../msrs/guest-msrs.ts';
import { baseOf, readLapicRegister, writeLapicRegister } from '../msrs/lapic-registers.ts';
import { acceptsApicBase } from '../msrs/rules/lapic.ts';
import type { Vcpu } from '../objects.ts';
import { isLegalGpa } from './cpuid.ts';
import { isValidCr4 } from './cr4.ts';
import { efer, isValidEfer } from './efer.ts';
import { guestHas } from './guest-cpu-caps.ts';
import { resetState } from './reset-state.ts';

/** Offsets in `struct kvm_sregs` and `struct kvm_sregs2`, which differ from 280 on. */
const at = {
  csBase: 0,
  csSelector: 12,
  csL: 19,
  fsBase: 72,
  gsBase: 96,
  cr0: 224,
  cr3: 240,
  cr4: 248,
  cr8: 256,
  efer: 264,
  apicBase: 272,
  flags: 280,
  pdptrs: 288,
  end: 320,
} as const;
const cr0 = { PE: 1n << 0n, NW: 1n << 29n, CD: 1n << 30n, PG: 1n << 31n } as const;
const CR4_PAE = 1n << 5n;
const LAM_OF_CR3 = 0b11n << 61n;
const PDPTRS_VALID = 1n;
const TASKPRI = 0x8;

export interface SregsCall {
  readonly kernel: Kernel;
  readonly vcpu: Vcpu;
  readonly given: CopiedIn<DataView>;
}

const quad = (view: DataView, offset: number) => view.getBigUint64(offset, true);

function isPae(view: DataView): boolean {
  return (
    (quad(view, at.cr0) & cr0.PG) !== 0n &&
    (quad(view, at.cr4) & CR4_PAE) !== 0n &&
    (quad(view, at.efer) & efer.LMA) === 0n
  );
}

/** MSRs of the bits that are 1, and of those that may be 1, in VMX operation. */
const vmxFixed = {
  cr0: [msr.IA32_VMX_CR0_FIXED0, msr.IA32_VMX_CR0_FIXED1],
  cr4: [msr.IA32_VMX_CR4_FIXED0, msr.IA32_VMX_CR4_FIXED1],
} as const;

function breaksVmx(
  { kernel, vcpu }: SregsCall,
  value: bigint,
  [fixed0, fixed1]: readonly [number, number],
): boolean {
  if (vcpu.vmxOperation === undefined) return false;
  const must = readGuestMsr(kernel, vcpu, fixed0) ?? 0n;
  const may = readGuestMsr(kernel, vcpu, fixed1) ?? 0n;
  return (must & ~value) !== 0n || (value & ~may) !== 0n;
}

export const sregsSteps: Steps<SregsCall> = {
  'set-sregs2.flags': ({ given }) => (quad(given.value, at.flags) & ~PDPTRS_VALID) !== 0n,
  'set-sregs2.pdptrs': ({ given: { value } }) =>
    (quad(value, at.flags) & PDPTRS_VALID) !== 0n && !isPae(value),
  'set-sregs.mode': ({ kernel, vcpu, given: { value } }) => {
    const given = quad(value, at.efer);
    const is64Bit = (given & efer.LME) !== 0n && (quad(value, at.cr0) & cr0.PG) !== 0n;
    if (!is64Bit) return (given & efer.LMA) !== 0n || value.getUint8(at.csL) !== 0;
    const ignored = guestHas(kernel, vcpu, 'LAM') ? LAM_OF_CR3 : 0n;
    return (
      (quad(value, at.cr4) & CR4_PAE) === 0n ||
      (given & efer.LMA) === 0n ||
      !isLegalGpa(vcpu, quad(value, at.cr3) & ~ignored)
    );
  },
  'set-sregs.cr4': (call) => {
    const { kernel, vcpu, given } = call;
    const value = quad(given.value, at.cr4);
    return !isValidCr4(kernel, vcpu, value) || breaksVmx(call, value, vmxFixed.cr4);
  },
  'set-sregs.cr0': (call) => {
    const value = quad(call.given.value, at.cr0);
    return (
      breaksVmx(call, value, vmxFixed.cr0) ||
      value >> 32n !== 0n ||
      ((value & cr0.NW) !== 0n && (value & cr0.CD) === 0n) ||
      ((value & cr0.PG) !== 0n && (value & cr0.PE) === 0n)
    );
  },
  'set-sregs.efer': ({ kernel, vcpu, given }) =>
    !isValidEfer(kernel, vcpu, quad(given.value, at.efer)),
  'set-sregs.apic-base': ({ kernel, vcpu, given }) =>
    !acceptsApicBase(quad(given.value, at.apicBase), { kernel, vcpu }),
};

/** Of the registers that MSRs are besides, what was written last shows. */
export function showSregs(
  { kernel, vcpu }: Pick<SregsCall, 'kernel' | 'vcpu'>,
  sregs: Uint8Array,
  kind: 'SREGS' | 'SREGS2',
): void {
  const view = new DataView(sregs.buffer, sregs.byteOffset, sregs.byteLength);
  const show = (offset: number, index: number) => {
    const value = readGuestMsr(kernel, vcpu, index);
    if (value !== undefined) view.setBigUint64(offset, value, true);
  };
  show(at.fsBase, msr.FS_BASE);
  show(at.gsBase, msr.GS_BASE);
  show(at.efer, msr.EFER);
  view.setBigUint64(at.apicBase, baseOf(vcpu), true);
  if (vcpu.vm.irqchip !== 'none') {
    view.setBigUint64(at.cr8, (readLapicRegister(vcpu, TASKPRI) ?? 0n) >> 4n, true);
  }
  if (kind === 'SREGS2') showPdptrs(vcpu, view);
}

function showPdptrs(vcpu: Vcpu, view: DataView): void {
  const sregs = new Uint8Array(view.buffer, view.byteOffset);
  sregs.fill(0, at.flags, at.end);
  if (!isPae(view)) return;
  view.setBigUint64(at.flags, PDPTRS_VALID, true);
  const kept = vcpu.state.get('PDPTRS');
  if (kept !== undefined) sregs.set(kept, at.pdptrs);
}

export function keepSregs({ kernel, vcpu, given: { value } }: SregsCall, kind: 'SREGS' | 'SREGS2') {
  const bytes = new Uint8Array(value.buffer.slice(0));
  if (kind === 'SREGS2') {
    const isGiven = (quad(value, at.flags) & PDPTRS_VALID) !== 0n;
    if (isGiven) vcpu.state.set('PDPTRS', bytes.slice(at.pdptrs, at.end));
    // An interrupt that waits stays as it was.
    bytes.fill(0, at.flags);
    const waits = vcpu.state.get('SREGS')?.subarray(at.flags);
    if (waits !== undefined) bytes.set(waits.subarray(0, bytes.length - at.flags), at.flags);
  }
  vcpu.state.set('SREGS', bytes);
  vcpu.msrs.set(msr.FS_BASE, quad(value, at.fsBase));
  vcpu.msrs.set(msr.GS_BASE, quad(value, at.gsBase));
  vcpu.msrs.set(msr.EFER, quad(value, at.efer));
  vcpu.msrs.set(msr.IA32_APICBASE, quad(value, at.apicBase));
  const cr8 = quad(value, at.cr8);
  if (vcpu.vm.irqchip !== 'none' && cr8 <= 0xfn) {
    writeLapicRegister(kernel, vcpu, TASKPRI, cr8 << 4n);
  }
  if (isAtReset(vcpu, value)) vcpu.mpState = 'RUNNABLE';
}

/** A boot vCPU that is reset so runs: VMMs that are old do not say it by KVM_SET_MP_STATE. */
function isAtReset(vcpu: Vcpu, sregs: DataView): boolean {
  const regs = vcpu.state.get('REGS') ?? resetState('REGS', vcpu);
  const rip = new DataView(regs.buffer, regs.byteOffset).getBigUint64(128, true);
  return (
    vcpu.id === vcpu.vm.bootVcpuId &&
    rip === 0xfff0n &&
    sregs.getUint16(at.csSelector, true) === 0xf000 &&
    quad(sregs, at.csBase) === 0xffff_0000n &&
    (quad(sregs, at.cr0) & cr0.PE) === 0n
  );
}
