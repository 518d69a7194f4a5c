/**
 * MSRs of a vCPU as user space reads and writes them. Of a TD KVM emulates few, and knows of none
 * that the module keeps. Those of another VM are kept as they are written, with the checks of the
 * rules below and no others. Source: kvm_get_msr_common(), kvm_set_msr_common(), tdx_get_msr(),
 * tdx_set_msr(), Linux 7.3.
 */
import { msr } from '../../../abi/kvm/msrs.ts';
import type { Kernel } from '../kernel.ts';
import type { Vcpu } from '../objects.ts';
import { type MsrRule, ruleOf } from './msr-rules.ts';
import { isTdMsr, tdReadOnly } from './td-msrs.ts';

/** undefined: refused, and KVM_GET_MSRS ends there. */
export function readGuestMsr(kernel: Kernel, vcpu: Vcpu, index: number): bigint | undefined {
  const rule = access(kernel, vcpu, index);
  if (rule === 'refused') return undefined;
  // Of an MSR that is listed and that this guest does not have, 0 is read.
  if (rule === 'not there') return kernel.msrs.advertised.has(index) ? 0n : undefined;
  return rule.read?.(kernel, vcpu, index) ?? vcpu.msrs.get(index) ?? reset(rule, kernel, vcpu);
}

/** False: refused, and KVM_SET_MSRS ends there. */
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
  // Those two are asked for before anybody looks whether it is a TD.
  return isCet && vcpu.td !== undefined ? 'refused' : rule;
}

/** Features that the guest has seen; the microcode's revision may still change. */
function isImmutable({ msrs }: Kernel, index: number): boolean {
  return msrs.features.has(index) && index !== msr.IA32_UCODE_REV;
}
