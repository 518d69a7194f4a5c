/** KVM_TDX_INIT_VCPU (kernel-abi 2.9 and 7.1): gives the vCPU its pages in the module. */
import { hasX2apic } from '../../../abi/kvm/cpuid.ts';
import { statusCodes } from '../../../abi/tdx/status.ts';
import type { Answer, TdxCommandStruct } from '../../interface.ts';
import type { Hpa } from '../../module/states.ts';
import { onlineCpus } from '../../platform.ts';
import { done, refuse } from '../answer.ts';
import { faultAt } from '../kernel.ts';
import { bugVm } from '../vm.ts';
import type { VcpuContext } from './vcpu-command.ts';

const success = statusCodes.TDX_SUCCESS;

/** VMCS fields that KVM writes in TDVPS, by their encoding. */
export const vmcs = {
  POSTED_INTR_NV: 0x0002,
  POSTED_INTR_DESC_ADDR: 0x2016,
  PIN_BASED_VM_EXEC_CONTROL: 0x4000,
  SECONDARY_VM_EXEC_CONTROL: 0x401e,
  NOTIFY_WINDOW: 0x4024,
} as const;

export function initVcpu(context: VcpuContext, cmd: TdxCommandStruct): Answer {
  const { kernel, tdx, vm, td, vcpu, tdVcpu } = context;
  const { module } = tdx;
  if (td.tdr === undefined) return refuse('EINVAL');
  // 6, 7
  if (cmd.flags !== 0) return refuse('EINVAL');
  if (!kernel.abi.initVcpuWhen.includes(td.state)) return refuse('EIO');
  if (tdVcpu.state !== 'UNINITIALIZED') return refuse('EINVAL');
  // 8: skipped once the base is set; before KVM_SET_CPUID2 a vCPU's guest CPUID has no x2APIC
  if (!tdVcpu.x2apicBaseSet && !hasX2apic(vcpu.cpuid)) return refuse('EINVAL');
  tdVcpu.x2apicBaseSet = true;
  // 9
  const noMemory = faultAt(kernel, 'KVM_TDX_INIT_VCPU: allocate TDVPR and TDCX');
  const pages = noMemory ? undefined : kernel.pages.allocateMany(module.release.tdvpsPages.base);
  const [tdvpr, ...tdcx] = pages ?? [];
  if (tdvpr === undefined) return noMemory ?? refuse('ENOMEM');

  // 10
  const cpu = vcpu.index % onlineCpus(kernel.profile.platform);
  if (module.seamcall('TDH.VP.CREATE', { rcx: tdvpr, rdx: td.tdr }, cpu) !== success) {
    return bugged([tdvpr, ...tdcx]);
  }
  tdVcpu.tdvpr = tdvpr;
  for (const [i, page] of tdcx.entries()) {
    if (module.seamcall('TDH.VP.ADDCX', { rcx: page, rdx: tdvpr }, cpu) !== success) {
      return bugged(tdcx.slice(i));
    }
    tdVcpu.tdcx.push(page);
  }
  const initial = { rcx: tdvpr, rdx: cmd.data, r8: vcpu.id };
  if (module.seamcall('TDH.VP.INIT', initial, cpu) !== success) return bugged([]);
  tdVcpu.logicalCpu = cpu;
  vcpu.mpState = 'RUNNABLE';
  // 11: a write that fails bugs the VM, and the call succeeds all the same
  for (const field of fieldsToWrite(context)) {
    const written = module.seamcall('TDH.VP.WR', { rcx: tdvpr, rdx: field, r8: 0n }, cpu);
    if (written !== success) bugVm(vm);
  }
  tdVcpu.state = 'INITIALIZED';
  return done;

  /** Pages that the module has not taken are freed; the others wait for the teardown. */
  function bugged(unused: readonly Hpa[]): Answer {
    bugVm(vm);
    for (const page of unused) kernel.pages.free(page);
    return refuse('EIO');
  }
}

function fieldsToWrite({ vm }: VcpuContext): number[] {
  const fields: number[] = [
    vmcs.POSTED_INTR_NV,
    vmcs.POSTED_INTR_DESC_ADDR,
    vmcs.PIN_BASED_VM_EXEC_CONTROL,
  ];
  if (vm.caps.notifyVmexit !== 0n) {
    fields.push(vmcs.SECONDARY_VM_EXEC_CONTROL, vmcs.NOTIFY_WINDOW);
  }
  if (vm.caps.busLockExit !== 0n) fields.push(vmcs.SECONDARY_VM_EXEC_CONTROL);
  return fields;
}
