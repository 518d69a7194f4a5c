/**
 * The trace shows only a pointer for some calls. They get the arguments that a right program gives, so
 * that the machine is where the program was; what depends on those arguments is not judged.
 */
import type { CallRecord, TraceArgs } from '../../record.ts';

const leaf = { index: 0, flags: 0, eax: '0x0', ebx: '0x0', ecx: '0x0', edx: '0x0' };

const assumed: Readonly<Record<string, TraceArgs>> = {
  // No vCPU of a TD can be made without this capability.
  KVM_ENABLE_CAP: { cap: 'KVM_CAP_SPLIT_IRQCHIP', flags: '0x0', args: ['0x18'] },
  KVM_TDX_INIT_VM: {
    flags: '0x0',
    attributes: '0x0',
    xfam: '0x3',
    max_vcpus: 8,
    nent: 1,
    cpuid: [{ ...leaf, function: '0x80000008', eax: '0x300000' }],
  },
  KVM_SET_CPUID2: { nent: 1, cpuid: [{ ...leaf, function: '0x1', ecx: '0x200000' }] },
  KVM_TDX_INIT_VCPU: { flags: '0x0', data: '0x0' },
  KVM_TDX_FINALIZE_VM: { flags: '0x0' },
  KVM_TDX_TERMINATE_VM: { flags: '0x0' },
};

/**
 * Returns undefined when nothing can be assumed. A call that was refused is not assumed to be right.
 */
export function assumedArgs(record: CallRecord): CallRecord | undefined {
  const args = assumed[record.request];
  return args === undefined || !('value' in record.outcome) ? undefined : { ...record, args };
}
