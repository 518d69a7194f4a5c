/** KVM_TDX_INIT_VCPU follows tdx_vcpu_init(). It gives the vCPU its pages in the module. */
import { hasX2apic } from '../../../abi/kvm/cpuid.ts';
import { statusCodes } from '../../../abi/tdx/status.ts';
import type { Answer } from '../../interface.ts';
import type { Hpa } from '../../module/addresses.ts';
import { onlineCpus } from '../../platform.ts';
import { done, refusedByModule } from '../answer.ts';
import { faultAt, firstRefusal, type Steps } from '../checks.ts';
import { allocateControlPages, freeControlPage } from '../memory/control-pages.ts';
import { bugVm } from '../vm/vm.ts';
import { vcpuCommandSteps } from './command.ts';
import type { VcpuCommand } from './context.ts';

const success = statusCodes.TDX_SUCCESS;

/** KVM writes these VMCS fields in TDVPS. The values are their encodings. */
export const vmcs = {
  POSTED_INTR_NV: 0x0002,
  POSTED_INTR_DESC_ADDR: 0x2016,
  PIN_BASED_VM_EXEC_CONTROL: 0x4000,
  SECONDARY_VM_EXEC_CONTROL: 0x401e,
  NOTIFY_WINDOW: 0x4024,
} as const;

interface InitVcpuCall extends VcpuCommand {
  /** The TDVPR, followed by the TDCX pages. */
  pages: readonly Hpa[];
}

const steps: Steps<InitVcpuCall> = {
  ...vcpuCommandSteps,
  'init-vcpu.flags': ({ cmd }) => cmd.value.flags !== 0,
  'init-vcpu.td-not-initialised': ({ td }) => td.state !== 'INITIALIZED',
  'init-vcpu.done-already': ({ tdVcpu }) => tdVcpu.state !== 'UNINITIALIZED',
  'init-vcpu.no-x2apic': ({ vcpu, tdVcpu }) => {
    // kvm_apic_set_base() checks nothing where the base already is what it should be.
    if (!tdVcpu.x2apicBaseSet && !hasX2apic(vcpu.cpuid)) return true;
    tdVcpu.x2apicBaseSet = true;
    return false;
  },
  'init-vcpu.no-memory': (call) => {
    const { kernel, tdx } = call;
    const point = 'KVM_TDX_INIT_VCPU: allocate TDVPR and TDCX';
    const fault = faultAt(kernel, point, 'init-vcpu.no-memory');
    if (fault !== undefined) return fault;
    const pages = allocateControlPages(kernel, tdx.module.release.tdvpsPages.base);
    call.pages = pages ?? [];
    return pages === undefined;
  },
  'init-vcpu.module-refused': (call) =>
    !createInModule(call) && refusedByModule('init-vcpu.module-refused', call.tdx),
};

export function initVcpu(command: VcpuCommand): Answer {
  const { kernel, tdx, vm, td, caller, cmd, cmdAgain, vcpu, tdVcpu } = command;
  const call = { kernel, tdx, vm, td, caller, cmd, cmdAgain, vcpu, tdVcpu, pages: [] };
  const refused = firstRefusal(kernel, 'KVM_TDX_INIT_VCPU', { steps, call });
  if (refused !== undefined) return refused;
  vcpu.mpState = 'RUNNABLE';
  // A write that fails bugs the VM, and the call succeeds all the same.
  for (const field of fieldsToWrite(command)) {
    const operands = { rcx: tdVcpu.tdvpr ?? 0, rdx: field, r8: 0n };
    const written = tdx.module.seamcall('TDH.VP.WR', operands, tdVcpu.logicalCpu);
    if (written !== success) bugVm(vm);
  }
  tdVcpu.state = 'INITIALIZED';
  return done;
}

/**
 * The function follows tdx_td_vcpu_init(), and returns false when a leaf was refused. The pages that
 * the module has not taken are freed then; the others wait for teardown.
 */
function createInModule({ kernel, tdx, vm, td, vcpu, tdVcpu, cmd, pages }: InitVcpuCall): boolean {
  const { module } = tdx;
  const [tdvpr, ...tdcx] = pages;
  if (tdvpr === undefined || td.tdr === undefined) return false;
  const refused = (unused: readonly Hpa[]) => {
    bugVm(vm);
    for (const page of unused) freeControlPage(kernel, page);
    return false;
  };
  const cpu = vcpu.index % onlineCpus(kernel.profile.platform);
  if (module.seamcall('TDH.VP.CREATE', { rcx: tdvpr, rdx: td.tdr }, cpu) !== success) {
    return refused(pages);
  }
  tdVcpu.tdvpr = tdvpr;
  for (const [i, page] of tdcx.entries()) {
    if (module.seamcall('TDH.VP.ADDCX', { rcx: page, rdx: tdvpr }, cpu) !== success) {
      return refused(tdcx.slice(i));
    }
    tdVcpu.tdcx.push(page);
  }
  const initial = { rcx: tdvpr, rdx: cmd.value.data, r8: vcpu.id };
  if (module.seamcall('TDH.VP.INIT', initial, cpu) !== success) return refused([]);
  tdVcpu.logicalCpu = cpu;
  return true;
}

function fieldsToWrite({ vm }: VcpuCommand): number[] {
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
