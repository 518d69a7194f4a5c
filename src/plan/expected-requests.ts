/** The requests that a plan leads to, step by step. A run then reports the same list. */
import type { ProvisioningStepState } from '../../machines/td-lifecycle/steps.ts';
import { convertingRequest } from '../host/facts.ts';
import type { TdPlan } from './td-plan.ts';

export interface ExpectedRequest {
  readonly request: string;
  readonly count: number;
}

export interface ExpectedStep {
  readonly step: ProvisioningStepState;
  readonly requests: readonly ExpectedRequest[];
}

export function expectedSteps({ spec, facts, vcpuIds, layout }: TdPlan): ExpectedStep[] {
  const vcpus = vcpuIds.length;
  const slots = layout.slots.length;
  const steps: Record<ProvisioningStepState, ExpectedRequest[]> = {
    creatingVm: [one('KVM_CREATE_VM'), one('KVM_ENABLE_CAP(KVM_CAP_SPLIT_IRQCHIP)')],
    readingLimits: [
      one('KVM_CHECK_EXTENSION(KVM_CAP_MAX_VCPUS)'),
      one('KVM_TDX_CAPABILITIES'),
      one('KVM_GET_SUPPORTED_CPUID'),
    ],
    cappingVcpus: [
      ...(facts.kernel.hasMaxVcpusCap ? [one('KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)')] : []),
      one('KVM_ENABLE_CAP(KVM_CAP_MAX_VCPU_ID)'),
    ],
    initializingTd: [
      ...(spec.tscKhz === undefined ? [] : [one('KVM_SET_TSC_KHZ')]),
      one('KVM_TDX_INIT_VM'),
    ],
    creatingVcpus: [{ request: 'KVM_CREATE_VCPU', count: vcpus }],
    initializingVcpus: [
      one('KVM_TDX_GET_CPUID'),
      { request: 'KVM_SET_CPUID2', count: vcpus },
      { request: 'KVM_TDX_INIT_VCPU', count: vcpus },
    ],
    addingMemory: [
      { request: 'KVM_CREATE_GUEST_MEMFD', count: slots },
      { request: 'KVM_SET_USER_MEMORY_REGION2', count: slots },
      { request: convertingRequest(facts.kernel), count: slots },
      { request: 'KVM_TDX_INIT_MEM_REGION', count: layout.initialPages.length },
    ],
    finalizing: [one('KVM_TDX_FINALIZE_VM')],
  };
  return Object.entries(steps).map(([step, requests]) => ({
    step: step as ProvisioningStepState,
    requests,
  }));
}

function one(request: string): ExpectedRequest {
  return { request, count: 1 };
}
