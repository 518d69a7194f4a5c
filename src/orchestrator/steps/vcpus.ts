/**
 * These steps make the vCPUs. All of them exist before FINALIZE_VM; the guest leaves the headroom
 * offline.
 */
import { withApicId } from '../../abi/kvm/cpuid.ts';
import type { Vcpu } from '../../host/port.ts';
import type { Interruption } from '../interruption.ts';
import type { TdSession } from '../session.ts';

export async function createVcpus(session: TdSession, interruption: Interruption): Promise<void> {
  const { plan, ledger, handles, publish } = session;
  const vm = handles.get('vm');
  const vcpus = handles.grow('vcpus', () => {
    const none: Vcpu[] = [];
    ledger.hold({ what: 'vCPU fds', release: () => closeAll(none) });
    return none;
  });
  for (const id of plan.vcpuIds.slice(vcpus.length)) {
    interruption.throwIfAborted();
    vcpus.push(await vm.createVcpu({ id }));
    publish(progress('creatingVcpus', vcpus.length, plan.vcpuIds.length));
  }
}

/**
 * The module gives the leaves of the TD. They must be set before KVM_TDX_INIT_VCPU, which refuses a vCPU
 * whose CPUID has no x2APIC.
 */
export async function initializeVcpus(
  session: TdSession,
  interruption: Interruption,
): Promise<void> {
  const { plan, handles, publish } = session;
  const vcpus = handles.get('vcpus');
  const [firstVcpu] = vcpus;
  const tdCpuid = firstVcpu ? await firstVcpu.tdxGetCpuid() : [];
  // KVM_TDX_GET_CPUID is refused once the TD is finalized, and a destination needs the entries too.
  handles.set('tdCpuid', tdCpuid);
  const initialized = handles.grow('initializedVcpus', () => new Set());
  for (const [done, vcpu] of vcpus.entries()) {
    if (initialized.has(vcpu.id)) continue;
    interruption.throwIfAborted();
    await vcpu.setCpuid2({ entries: withApicId(tdCpuid, vcpu.id) });
    await vcpu.tdxInitVcpu({ initialRcx: plan.layout.hobAddress });
    initialized.add(vcpu.id);
    publish(progress('initializingVcpus', done + 1, vcpus.length));
  }
}

async function closeAll(vcpus: readonly Vcpu[]): Promise<void> {
  const results = await Promise.allSettled(vcpus.map((vcpu) => vcpu.close()));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (errors.length > 0)
    throw new AggregateError(errors, `${errors.length} vCPU fds did not close`);
}

function progress(step: string, done: number, total: number) {
  return { event: 'step.progress', step, done, total, unit: 'vCPUs' } as const;
}
