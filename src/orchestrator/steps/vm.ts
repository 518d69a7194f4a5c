/** These steps lead up to the TD: the VM, its limits and capabilities, and INIT_VM. */
import type { LimitsRead } from '../../../machines/td-lifecycle/index.ts';
import { KVM_IOAPIC_NUM_PINS } from '../../abi/kvm/structs.ts';
import { vcpuLimits } from '../../host/facts.ts';
import type { UserMemory } from '../../host/port.ts';
import { buildInitVm } from '../../plan/index.ts';
import type { Interruption } from '../interruption.ts';
import type { TdSession } from '../session.ts';
import { repeated } from './repeat.ts';

/** Memory comes first, so that a host short of address space is found before the kernel is asked. */
export async function createVm(session: TdSession): Promise<void> {
  const { handles } = session;
  if (!handles.has('vm')) await makeVm(session);
  if (handles.has('splitIrqchip')) return;
  const args = [KVM_IOAPIC_NUM_PINS];
  await handles.get('vm').enableCap({ capability: 'KVM_CAP_SPLIT_IRQCHIP', args });
  handles.set('splitIrqchip', true);
}

async function makeVm({ host, plan, ledger, handles, origin }: TdSession): Promise<void> {
  const slotMemory = new Map<number, UserMemory>();
  for (const { slot, sizeBytes } of plan.layout.slots) {
    const sharedWith = origin?.slotMemory.get(slot);
    const memory = await host.mapMemory({ sizeBytes, ...(sharedWith && { sharedWith }) });
    ledger.hold({ what: 'mapped memory', release: () => memory.close() });
    slotMemory.set(slot, memory);
  }
  handles.set('slotMemory', slotMemory);

  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  ledger.hold({ what: 'VM fd', release: () => vm.close() });
  handles.set('vm', vm);
}

export async function readLimits({ host, plan, handles }: TdSession): Promise<LimitsRead> {
  const vm = handles.get('vm');
  const maxVcpus = await vm.checkExtension('KVM_CAP_MAX_VCPUS');
  handles.set('capabilities', await vm.tdxCapabilities());
  handles.set('supportedCpuid', await host.getSupportedCpuid());
  handles.set('maxVcpus', maxVcpus);
  return { limits: vcpuLimits({ facts: plan.facts, maxVcpus }) };
}

export async function capVcpus({ plan, handles }: TdSession): Promise<void> {
  const vm = handles.get('vm');
  const vcpus = BigInt(plan.vcpuIds.length);
  if (plan.facts.kernel.hasMaxVcpusCap) {
    await vm.enableCap({ capability: 'KVM_CAP_MAX_VCPUS', args: [vcpus] });
  }
  // Ids run from 0 without gaps, so the number of vCPUs is also the first id that is too large.
  await vm.enableCap({ capability: 'KVM_CAP_MAX_VCPU_ID', args: [vcpus] });
}

export async function initializeTd(session: TdSession, interruption: Interruption): Promise<void> {
  const { plan, handles } = session;
  if (handles.has('tdInitialized')) return;
  const vm = handles.get('vm');
  const params = buildInitVm(plan.spec, {
    facts: plan.facts,
    capabilities: handles.get('capabilities'),
    supportedCpuid: handles.get('supportedCpuid'),
    maxVcpus: handles.get('maxVcpus'),
  });
  if (plan.spec.tscKhz !== undefined) await vm.setTscKhz({ tscKhz: plan.spec.tscKhz });

  // TDH.MNG.CREATE and TDH.MNG.ADDCX answer so while RDRAND is dry.
  await repeated(() => vm.tdxInitVm(params), { on: 'EAGAIN', interruption });
  handles.set('tdInitialized', true);
}
