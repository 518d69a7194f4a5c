/**
 * What KVM_RUN takes from the page that it shares with user space, and what it leaves there besides an exit:
 * sync_regs(), store_regs() and post_kvm_run_save() in arch/x86/kvm/x86.c.
 */
import { msr } from '../../../abi/kvm/msrs.ts';
import type { RunPage, RunPageHead, UserBytes } from '../../interface.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { capabilityMasks } from '../system/capability-values.ts';
import { currentState, vcpuState } from './vcpu-state.ts';

/** The parts of `struct kvm_sync_regs`, in the order in which KVM takes and shows them. */
const parts = [
  { bit: 1n, get: 'KVM_GET_REGS', set: 'KVM_SET_REGS', offset: 0 },
  { bit: 2n, get: 'KVM_GET_SREGS', set: 'KVM_SET_SREGS', offset: 144 },
  { bit: 4n, get: 'KVM_GET_VCPU_EVENTS', set: 'KVM_SET_VCPU_EVENTS', offset: 456 },
] as const;

/** KVM_CAP_SYNC_REGS. The state of a TD is protected, and none of it is synchronised. */
export function syncedRegs({ vm }: Vcpu): bigint {
  return vm.isTd ? 0n : BigInt(capabilityMasks.syncedRegs);
}

/** @returns false where a part is refused; those before it have been taken. */
export function takeRegisters(kernel: Kernel, vcpu: Vcpu, page: RunPage, dirty: bigint): boolean {
  let left = dirty;
  for (const { bit, set, offset } of parts) {
    if ((dirty & bit) === 0n) continue;
    if (!vcpuState(kernel, vcpu, { request: set, state: from(page.registers, offset) }).ok) {
      return false;
    }
    left &= ~bit;
    page.writeHead({ dirtyRegs: left });
  }
  return true;
}

/** cr8 of the page counts where no local APIC has it. False: it has reserved bits. */
export function takeTaskPriority(vcpu: Vcpu, cr8: bigint): boolean {
  if (vcpu.vm.irqchip !== 'none') return true;
  if (cr8 > highestPriority) return false;
  const sregs = Uint8Array.from(currentState(vcpu, 'SREGS'));
  new DataView(sregs.buffer).setBigUint64(SREGS_CR8, cr8, true);
  vcpu.state.set('SREGS', sregs);
  return true;
}

/** Registers that user space wants to see are shown after a run that failed, too. */
export function leavePage(kernel: Kernel, vcpu: Vcpu, page: RunPage): void {
  const { validRegs } = page.read();
  if (!isProtected(vcpu)) {
    for (const { bit, get, offset } of parts) {
      if ((validRegs & bit) === 0n) continue;
      vcpuState(kernel, vcpu, { request: get, state: from(page.registers, offset) });
    }
  }
  page.writeHead(headOf(vcpu));
}

function headOf(vcpu: Vcpu): Partial<RunPageHead> {
  return {
    flags: isInSmm(vcpu) ? KVM_RUN_X86_SMM : 0,
    ifFlag: !vcpu.vm.isTd && interruptsAreOn(vcpu),
    readyForInterruptInjection: isReadyForInjection(vcpu),
    cr8: taskPriority(vcpu),
    apicBase: apicBase(vcpu),
  };
}

/** Whether user space may inject an interrupt. Where the PIC is in the kernel, KVM always says so. */
function isReadyForInjection(vcpu: Vcpu): boolean {
  const { vm, pending } = vcpu;
  if (vm.irqchip === 'kernel') return true;
  if (pending.externalVector !== undefined || !takesPicInterrupts(vcpu)) return false;
  // KVM does not know whether a TD has interrupts on, and takes them to be.
  if (vm.isTd) return true;
  const events = viewOf(vcpu, 'VCPU_EVENTS');
  const isHalfDone = [EXCEPTION_INJECTED, EXCEPTION_PENDING, INTERRUPT_INJECTED, NMI_INJECTED].some(
    (at) => events.getUint8(at) !== 0,
  );
  return interruptsAreOn(vcpu) && events.getUint8(INTERRUPT_SHADOW) === 0 && !isHalfDone;
}

/** LINT0 of the local APIC passes on what the PIC sends, or there is no APIC in the kernel. */
function takesPicInterrupts(vcpu: Vcpu): boolean {
  if (vcpu.vm.irqchip === 'none') return true;
  if ((apicBase(vcpu) & APIC_ENABLED) === 0n) return true;
  const lint0 = viewOf(vcpu, 'LAPIC').getUint32(APIC_LVT0, true);
  return (lint0 & (APIC_LVT_MASKED | APIC_DELIVERY_MODE)) === APIC_MODE_EXTINT;
}

function taskPriority(vcpu: Vcpu): bigint {
  if (vcpu.vm.irqchip === 'none') return viewOf(vcpu, 'SREGS').getBigUint64(SREGS_CR8, true);
  return BigInt((viewOf(vcpu, 'LAPIC').getUint8(APIC_TASKPRI) & 0xf0) >> 4);
}

function apicBase(vcpu: Vcpu): bigint {
  const written = vcpu.msrs.get(msr.IA32_APICBASE);
  if (written !== undefined) return written;
  const base = viewOf(vcpu, 'SREGS').getBigUint64(SREGS_APIC_BASE, true);
  return vcpu.td?.x2apicBaseSet === true ? base | APIC_X2APIC : base;
}

function interruptsAreOn(vcpu: Vcpu): boolean {
  return (viewOf(vcpu, 'REGS').getBigUint64(REGS_RFLAGS, true) & RFLAGS_IF) !== 0n;
}

export function isInSmm(vcpu: Vcpu): boolean {
  return viewOf(vcpu, 'VCPU_EVENTS').getUint8(EVENTS_SMM) !== 0;
}

/** guest_state_protected: all of a TD but those with the attribute DEBUG. */
function isProtected({ vm }: Vcpu): boolean {
  return vm.td !== undefined && (vm.td.attributes & 1n) === 0n;
}

function viewOf(vcpu: Vcpu, state: 'REGS' | 'SREGS' | 'LAPIC' | 'VCPU_EVENTS'): DataView {
  const bytes = currentState(vcpu, state);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function from(registers: UserBytes, start: number): UserBytes {
  return {
    read: (length, offset = 0) => registers.read(length, start + offset),
    write: (bytes, offset = 0) => registers.write(bytes, start + offset),
  };
}

const highestPriority = 15n;
const KVM_RUN_X86_SMM = 1;
const RFLAGS_IF = 1n << 9n;
const APIC_ENABLED = 1n << 11n;
const APIC_X2APIC = 1n << 10n;
const REGS_RFLAGS = 136;
const SREGS_CR8 = 256;
const SREGS_APIC_BASE = 272;
const APIC_TASKPRI = 0x80;
const APIC_LVT0 = 0x350;
const APIC_LVT_MASKED = 0x1_0000;
const APIC_DELIVERY_MODE = 0x700;
const APIC_MODE_EXTINT = 0x700;
const EXCEPTION_INJECTED = 0;
const EXCEPTION_PENDING = 3;
const INTERRUPT_INJECTED = 8;
const INTERRUPT_SHADOW = 11;
const NMI_INJECTED = 12;
const EVENTS_SMM = 24;
