/**
 * The steps of a migration, in order: what each does, which requests it makes, and who takes it back.
 * The rows up to `quiescingSource` can be undone. From `moving` on nothing can: the ioctl kills the
 * source on its way, and what fails later loses the TD (kernel-abi 4.2, 4.3).
 */
import type { TdStep } from '../td-lifecycle/index.ts';

export const migrationSteps = [
  {
    state: 'checking',
    actor: 'checkMigration',
    does: 'ask whether this TD can move here, and whether the kernel moves TDs at all',
    requests: ['KVM_ENABLE_CAP'],
    undo: { leftTo: 'nobody: the step only asks' },
  },
  {
    state: 'preparingDestination',
    actor: 'prepareDestination',
    does: 'prepare a VM with the same vCPUs and memory slots',
    requests: [
      'KVM_CREATE_VM',
      'KVM_ENABLE_CAP',
      'KVM_CREATE_VCPU',
      'KVM_SET_CPUID2',
      'KVM_SET_USER_MEMORY_REGION2',
    ],
    undo: { does: 'take the destination down' },
  },
  {
    state: 'quiescingSource',
    actor: 'quiesceSource',
    does: 'make every vCPU of the source leave KVM_RUN: the blackout begins',
    requests: [],
    undo: { does: 'enter the vCPUs of the source again' },
  },
  {
    state: 'rollingBack',
    actor: 'rollBack',
    does: 'take the destination down and let the source go on',
    requests: ['KVM_RUN'],
    undo: { leftTo: 'nobody: it is itself an undo' },
  },
  {
    state: 'moving',
    actor: 'moveContext',
    does: 'move the TD from the source VM to the destination VM',
    requests: ['KVM_ENABLE_CAP'],
    undo: { leftTo: 'nobody: the kernel kills the source on the way' },
  },
  {
    state: 'findingOwner',
    actor: 'findOwner',
    does: 'ask both VMs which of them has the TD',
    requests: ['KVM_CHECK_EXTENSION', 'KVM_RUN'],
    undo: { leftTo: 'nobody: the step only asks' },
  },
  {
    state: 'resumingDestination',
    actor: 'resumeDestination',
    does: 'enter the vCPUs of the destination: the blackout ends',
    requests: ['KVM_SET_MEMORY_ATTRIBUTES', 'KVM_RUN'],
    undo: { leftTo: 'nobody: the source is dead' },
  },
  {
    state: 'retiringSource',
    actor: 'retireSource',
    does: 'close what is left of the source',
    requests: [],
    undo: { leftTo: 'nobody: the source is dead' },
  },
  {
    state: 'clearingUp',
    actor: 'clearUp',
    does: 'give back both VMs: the TD is in neither',
    requests: [],
    undo: { leftTo: 'nobody: it is itself an undo' },
  },
] as const satisfies readonly TdStep[];

export type MigrationStepState = (typeof migrationSteps)[number]['state'];
