/**
 * User space reads and writes a vCPU's MSRs here. Of a TD's MSRs KVM emulates few, and it knows of none
 * that the module keeps. Source: do_get_msr(), do_set_msr() and kvm_do_msr_access() in msrs.c,
 * tdx_get_msr() and tdx_set_msr(), Linux 7.3. The module parameter ignore_msrs is off, as by default.
 */
import { msr } from '../../../abi/kvm/msrs.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { keepValue, keptValue, type MsrAccess, type MsrRule } from './rule.ts';
import { ruleOf } from './rules/index.ts';
import { isTdMsr, tdReadOnly } from './td-msrs.ts';

/** Returns undefined when the read is refused, where KVM_GET_MSRS ends. */
export function readGuestMsr(kernel: Kernel, vcpu: Vcpu, index: number): bigint | undefined {
  const access = { kernel, vcpu, index };
  const rule = ruleFor(access, 'read');
  if (rule === 'refused') return undefined;
  // An MSR that is listed, but that this guest does not have, reads as 0.
  if (rule === 'unsupported') return kernel.msrs.advertised.has(index) ? 0n : undefined;
  return rule.read?.(access) ?? keptValue(rule, access);
}

/** Returns false when the write is refused, where KVM_SET_MSRS ends. */
export function writeGuestMsr(kernel: Kernel, vcpu: Vcpu, index: number, data: bigint): boolean {
  if (vcpu.entered && isImmutable(kernel, index)) {
    return readGuestMsr(kernel, vcpu, index) === data;
  }
  const access = { kernel, vcpu, index };
  const rule = ruleFor(access, 'write');
  if (rule === 'refused') return false;
  if (rule === 'unsupported') return data === 0n && kernel.msrs.advertised.has(index);
  if (rule.accepts?.(data, access) === false) return false;
  const kept = rule.keeps === undefined ? data : rule.keeps(data, access);
  if (kept !== undefined) keepValue(rule, access, kept);
  rule.written?.(data, access);
  return true;
}

function ruleFor(access: MsrAccess, to: 'read' | 'write'): MsrRule | 'refused' | 'unsupported' {
  const { vcpu, index } = access;
  const rule = ruleOf(index);
  const isOfTd = vcpu.td !== undefined;
  // KVM looks whether the guest has these before it looks whether it is a TD.
  const isCet =
    index === msr.IA32_U_CET ||
    index === msr.IA32_S_CET ||
    (index >= msr.IA32_PL0_SSP && index <= msr.IA32_INT_SSP_TAB);
  if (isOfTd && !isCet && !isTdMsr(index)) return 'refused';
  if (isOfTd && to === 'write' && tdReadOnly.has(index)) return 'refused';
  if (rule === undefined) return 'unsupported';
  const presence = rule.presence?.(access, to) ?? 'there';
  if (presence !== 'there') return presence;
  return isOfTd && isCet ? 'refused' : rule;
}

/**
 * The guest has seen these features, so they are fixed. Only the microcode's revision may still change.
 */
function isImmutable({ msrs }: Kernel, index: number): boolean {
  return msrs.features.has(index) && index !== msr.IA32_UCODE_REV;
}
