/** These leaves work on vCPUs: TDH.VP.CREATE, ADDCX, INIT, ENTER, FLUSH and WR. */

import type { Hpa } from './addresses.ts';
import { checksOf, firstRefusal, type LeafAnswer } from './checks.ts';
import {
  initializedOf,
  type PageCall,
  pageSteps,
  type TdCall,
  tdCall,
  tdOf,
  tdrSteps,
  tdvprSteps,
  vcpuOf,
} from './common-steps.ts';
import type { ModuleState } from './module-state.ts';
import type { TdVcpu } from './states.ts';

const createChecks = checksOf<'TDH.VP.CREATE', TdCall & PageCall>('TDH.VP.CREATE', {
  ...tdrSteps,
  ...pageSteps,
});

export function vpCreate(module: ModuleState, { rcx, rdx }: { rcx: Hpa; rdx: Hpa }): LeafAnswer {
  const call = { module, handle: rdx, metadata: undefined, page: rcx };
  const refused = firstRefusal(createChecks, call);
  if (refused !== undefined) return refused;

  const td = tdOf(call);
  const vcpu: TdVcpu = {
    tdvpr: rcx,
    td,
    state: 'UNINITIALIZED',
    pages: 1,
    index: -1,
    logicalCpu: undefined,
  };
  module.pamt.set(rcx, { type: 'TDVPR', owner: td, vcpu });
  td.childPages++;
  return undefined;
}

const addcxChecks = checksOf<'TDH.VP.ADDCX', TdCall & PageCall>('TDH.VP.ADDCX', {
  ...tdvprSteps,
  ...pageSteps,
  'vp-addcx.too-many': (call) => vcpuOf(call).pages >= call.module.release.tdvpsPages.max,
});

export function vpAddcx(module: ModuleState, { rcx, rdx }: { rcx: Hpa; rdx: Hpa }): LeafAnswer {
  const call = { module, handle: rdx, metadata: undefined, page: rcx };
  const refused = firstRefusal(addcxChecks, call);
  if (refused !== undefined) return refused;

  const [td, vcpu] = [tdOf(call), vcpuOf(call)];
  module.pamt.set(rcx, { type: 'TDCX', owner: td, vcpu });
  vcpu.pages++;
  td.childPages++;
  return undefined;
}

const initChecks = checksOf<'TDH.VP.INIT', TdCall & { readonly x2apicId: number }>('TDH.VP.INIT', {
  ...tdvprSteps,
  'vp-init.too-few-pages': (call) => vcpuOf(call).pages < call.module.release.tdvpsPages.base,
  'vp-init.max-vcpus': (call) => {
    const { vcpus, params } = initializedOf(call);
    return vcpus >= params.maxVcpus;
  },
  'vp-init.x2apic-id-taken': (call) => initializedOf(call).x2apicIds.has(call.x2apicId),
});

/** RDX is the guest's first RCX, R8 its x2APIC id. RSI gives the vCPU's index. */
export function vpInit(
  module: ModuleState,
  { rcx, r8 }: { rcx: Hpa; rdx: bigint; r8: number },
  logicalCpu: number,
): LeafAnswer {
  const call = { module, handle: rcx, metadata: undefined, x2apicId: r8 };
  const refused = firstRefusal(initChecks, call);
  if (refused !== undefined) return refused;

  const [vcpu, initialized] = [vcpuOf(call), initializedOf(call)];
  vcpu.index = initialized.vcpus;
  initialized.vcpus++;
  initialized.x2apicIds.add(r8);
  vcpu.state = 'READY';
  vcpu.logicalCpu = logicalCpu;
  initialized.associatedVcpus++;
  module.out.rsi = BigInt(vcpu.index);
  return undefined;
}

interface CpuCall extends TdCall {
  readonly logicalCpu: number;
}

const enterChecks = checksOf<'TDH.VP.ENTER', CpuCall>('TDH.VP.ENTER', {
  ...tdvprSteps,
  'vp-enter.on-other-cpu': (call) => {
    const { logicalCpu } = vcpuOf(call);
    return logicalCpu !== undefined && logicalCpu !== call.logicalCpu;
  },
});

/** Runs the guest on this logical CPU, which holds the vCPU's state from then on. */
export function vpEnter(
  module: ModuleState,
  { rcx }: { rcx: Hpa },
  logicalCpu: number,
): LeafAnswer {
  const call = { module, handle: rcx, metadata: undefined, logicalCpu };
  const refused = firstRefusal(enterChecks, call);
  if (refused !== undefined) return refused;

  const vcpu = vcpuOf(call);
  if (vcpu.logicalCpu === undefined) initializedOf(call).associatedVcpus++;
  vcpu.logicalCpu = logicalCpu;
  return undefined;
}

const flushChecks = checksOf<'TDH.VP.FLUSH', CpuCall>('TDH.VP.FLUSH', {
  ...tdvprSteps,
  'vp-flush.not-on-this-cpu': (call) => vcpuOf(call).logicalCpu !== call.logicalCpu,
});

/** The leaf must run on the logical CPU that holds the vCPU's state. */
export function vpFlush(
  module: ModuleState,
  { rcx }: { rcx: Hpa },
  logicalCpu: number,
): LeafAnswer {
  const call = { module, handle: rcx, metadata: undefined, logicalCpu };
  const refused = firstRefusal(flushChecks, call);
  if (refused !== undefined) return refused;

  vcpuOf(call).logicalCpu = undefined;
  initializedOf(call).associatedVcpus--;
  return undefined;
}

const wrChecks = checksOf<'TDH.VP.WR', TdCall>('TDH.VP.WR', tdvprSteps);

/** Writes a field of TDVPS. The content matters to a running guest only, so it is not kept. */
export function vpWr(
  module: ModuleState,
  { rcx }: { rcx: Hpa; rdx: number; r8: bigint },
): LeafAnswer {
  return firstRefusal(wrChecks, tdCall(module, rcx));
}
