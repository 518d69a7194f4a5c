/**
 * The table has the steps of a migration, in order: what each does, which requests it makes, and who
 * takes it back. The steps of `revocableSteps` can be undone. From `moving` on nothing can: the ioctl
 * kills the source on its way, and what fails later loses the TD (docs/migration.md).
 */
import type { TdStep } from '../td-lifecycle/index.ts';

export const revocableSteps = [
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
    does: 'prepare a VM with the same vCPUs and memory slots; the source runs on meanwhile',
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
    state: 'pausingSource',
    actor: 'pauseSource',
    does: 'make every vCPU of the source leave KVM_RUN: the blackout begins',
    requests: [],
    undo: { does: 'enter the vCPUs of the source again' },
  },
  {
    state: 'handingOver',
    actor: 'handOver',
    does: 'take the source into the hands of the migration, so that nobody resumes or stops it',
    requests: [],
    undo: { does: 'let go of the source' },
  },
  {
    state: 'readingState',
    actor: 'readState',
    does: 'read the state of the vCPUs and devices of the source that user space carries',
    requests: [],
    undo: { leftTo: 'nobody: the step only reads' },
  },
  {
    state: 'writingState',
    actor: 'writeState',
    does: 'write the state that was read into the vCPUs and devices of the destination',
    requests: [],
    undo: { leftTo: 'nobody: it goes with the destination, which has not run' },
  },
] as const satisfies readonly TdStep[];

const ofAnUndo = { leftTo: 'nobody: it is itself an undo' } as const;

export const rollbackSteps = [
  {
    state: 'takingDownDestination',
    actor: 'takeDownDestination',
    does: 'give back whatever there is of the destination',
    requests: [],
    undo: ofAnUndo,
  },
  {
    state: 'probingSource',
    actor: 'probeSource',
    does: 'ask the source whether it is alive, before it is told to go on',
    requests: ['KVM_CHECK_EXTENSION'],
    undo: ofAnUndo,
  },
  {
    state: 'keepingSource',
    actor: 'keepSource',
    does: 'let go of the source',
    requests: [],
    undo: ofAnUndo,
  },
  {
    state: 'resumingSource',
    actor: 'resumeSource',
    does: 'enter the vCPUs of the source again: the blackout ends',
    requests: ['KVM_RUN'],
    undo: ofAnUndo,
  },
] as const satisfies readonly TdStep[];

const ofADeadSource = { leftTo: 'nobody: the source is dead' } as const;

export const irrevocableSteps = [
  {
    state: 'moving',
    actor: 'moveContext',
    does: 'move the TD with KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM, which kills the source on its way',
    requests: ['KVM_ENABLE_CAP'],
    undo: { leftTo: 'nobody: the kernel kills the source on the way' },
  },
  {
    state: 'askingSource',
    actor: 'askSource',
    does: 'ask the source whether it is alive: then it has the TD',
    requests: ['KVM_CHECK_EXTENSION'],
    undo: { leftTo: 'nobody: the step only asks' },
  },
  {
    state: 'askingDestination',
    actor: 'askDestination',
    does: 'ask the destination whether a vCPU of it can be entered: then it has the TD',
    requests: ['KVM_RUN'],
    undo: { leftTo: 'nobody: the step only asks' },
  },
  {
    state: 'arriving',
    actor: 'arrive',
    does: 'tell the destination that the TD is there',
    requests: [],
    undo: ofADeadSource,
  },
  {
    state: 'restoringMemory',
    actor: 'restoreMemory',
    does: 'make the memory of the destination private again, where the move has emptied its attributes',
    requests: ['KVM_SET_MEMORY_ATTRIBUTES'],
    undo: ofADeadSource,
  },
  {
    state: 'enteringDestination',
    actor: 'enterDestination',
    does: 'enter the vCPUs of the destination: the blackout ends',
    requests: ['KVM_RUN'],
    undo: ofADeadSource,
  },
  {
    state: 'retiringSource',
    actor: 'retireSource',
    does: 'close what is left of the source',
    requests: [],
    undo: ofADeadSource,
  },
] as const satisfies readonly TdStep[];

export const clearingUp = {
  state: 'clearingUp',
  actor: 'clearUp',
  does: 'give back both VMs: neither can run the TD',
  requests: [],
  undo: ofAnUndo,
} as const satisfies TdStep;

export const migrationSteps = [
  ...revocableSteps,
  ...rollbackSteps,
  ...irrevocableSteps,
  clearingUp,
] as const;

export type MigrationStepState = (typeof migrationSteps)[number]['state'];
