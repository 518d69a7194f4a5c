/**
 * User space reads and writes a vCPU's MSRs here. Of a TD's MSRs KVM emulates few, and it knows of none
 * that the module keeps. The MSRs of another VM are kept as they are written, and checked only by the
 * rules in msr-rules.ts. Source: kvm_get_msr_common(), kvm_set_msr_common(), tdx_get_msr(),
 * tdx_set_msr(), Linux 7.3.
 */
import { msr } from '../../../abi/kvm/msrs.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { type MsrRule, ruleOf } from './msr-rules.ts';
import { isTdMsr, tdReadOnly } from './td-msrs.ts';

/** Returns undefined when the read is refused, where KVM_GET_MSRS ends. */
export function readGuestMsr(kernel: Kernel, vcpu: Vcpu, index: number): bigint | undefined {
  const rule = access(kernel, vcpu, index);
  if (rule === 'refused') return undefined;
  // An MSR that is listed, but that this guest does not have, reads as 0.
  if (rule === 'not there') return kernel.msrs.advertised.has(index) ? 0n : undefined;
  return rule.read?.(kernel, vcpu, index) ?? vcpu.msrs.get(index) ?? reset(rule, kernel, vcpu);
}

/** Returns false when the write is refused, where KVM_SET_MSRS ends. */
export function writeGuestMsr(kernel: Kernel, vcpu: Vcpu, index: number, data: bigint): boolean {
  if (vcpu.entered && isImmutable(kernel, index)) {
    return readGuestMsr(kernel, vcpu, index) === data;
  }
  if (vcpu.td !== undefined && tdReadOnly.has(index)) return false;
  const rule = access(kernel, vcpu, index);
  if (rule === 'refused') return false;
  if (rule === 'not there') return data === 0n && kernel.msrs.advertised.has(index);
  if (rule.accepts?.(data, vcpu, index, kernel) === false) return false;
  vcpu.msrs.set(index, data);
  return true;
}

function reset(rule: MsrRule, kernel: Kernel, vcpu: Vcpu): bigint {
  return typeof rule.reset === 'function' ? rule.reset(kernel, vcpu) : (rule.reset ?? 0n);
}

function access(kernel: Kernel, vcpu: Vcpu, index: number): MsrRule | 'refused' | 'not there' {
  const isCet = index === msr.IA32_U_CET || index === msr.IA32_S_CET;
  if (vcpu.td !== undefined && !isCet && !isTdMsr(index)) return 'refused';
  const rule = ruleOf(index);
  if (rule === undefined) return kernel.msrs.advertised.has(index) ? {} : 'not there';
  const there = rule.there?.(vcpu, index) ?? 'yes';
  if (there !== 'yes') return there;
  // KVM checks these two before it checks whether the vCPU is a TD's.
  return isCet && vcpu.td !== undefined ? 'refused' : rule;
}

/**
 * The guest has seen these features, so they are fixed. Only the microcode's revision may still change.
 */
function isImmutable({ msrs }: Kernel, index: number): boolean {
  return msrs.features.has(index) && index !== msr.IA32_UCODE_REV;
}
