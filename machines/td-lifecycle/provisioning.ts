/** The TD is built: one working state for each row of `tdSteps`. */

import { keepError, output } from '../actor-results.ts';
import type { Finalized, LimitsRead } from './context.ts';
import { tdSetup } from './setup.ts';

export const provisioning = tdSetup.createStateConfig({
  description: 'The TD is being built, one step after the other.',
  tags: ['holdsResources'],
  initial: 'creatingVm',
  on: { 'td.stop': { target: 'interrupting' } },
  onDone: { target: 'runnable' },
  states: {
    creatingVm: {
      description: 'A VM of type KVM_X86_TDX_VM is made. It takes no key slot and no TD page.',
      tags: ['working'],
      invoke: {
        src: 'createVm',
        onDone: { target: 'readingLimits' },
        onError: { target: '#td-lifecycle.releasing', actions: keepError() },
      },
    },
    readingLimits: {
      description: 'The four vCPU limits are read; too many vCPUs never reach the kernel.',
      tags: ['working'],
      invoke: {
        src: 'readLimits',
        onDone: [
          {
            guard: { type: 'vcpusFit', params: output<LimitsRead> },
            target: 'cappingVcpus',
            actions: { type: 'keepLimits', params: output<LimitsRead> },
          },
          {
            target: '#td-lifecycle.releasing',
            actions: { type: 'refuseVcpus', params: output<LimitsRead> },
          },
        ],
        onError: { target: '#td-lifecycle.releasing', actions: keepError() },
      },
    },
    cappingVcpus: {
      description: 'KVM_CAP_MAX_VCPU_ID, and KVM_CAP_MAX_VCPUS where the kernel has it, are set.',
      tags: ['working'],
      invoke: {
        src: 'capVcpus',
        onDone: { target: 'initializingTd' },
        onError: { target: '#td-lifecycle.releasing', actions: keepError() },
      },
    },
    initializingTd: {
      description: 'KVM_TDX_INIT_VM takes a key slot (HKID) and builds TDR and TDCS.',
      tags: ['working'],
      invoke: {
        src: 'initializeTd',
        onDone: { target: 'creatingVcpus', actions: 'takeKeySlot' },
        onError: { target: '#td-lifecycle.releasing', actions: keepError() },
      },
    },
    creatingVcpus: {
      description: 'All vCPUs are made now: after FINALIZE_VM the set is frozen.',
      tags: ['working'],
      invoke: {
        src: 'createVcpus',
        onDone: { target: 'initializingVcpus' },
        onError: { target: '#td-lifecycle.terminating', actions: keepError() },
      },
    },
    initializingVcpus: {
      description: 'Each vCPU gets its CPUID, then its TDVPR and TDCX pages.',
      tags: ['working'],
      invoke: {
        src: 'initializeVcpus',
        onDone: { target: 'addingMemory' },
        onError: { target: '#td-lifecycle.terminating', actions: keepError() },
      },
    },
    addingMemory: {
      description: 'Memory slots are set and the firmware pages are added and measured.',
      tags: ['working'],
      invoke: {
        src: 'addMemory',
        onDone: { target: 'finalizing' },
        onError: { target: '#td-lifecycle.terminating', actions: keepError() },
      },
    },
    finalizing: {
      description: 'KVM_TDX_FINALIZE_VM closes MRTD; the TD may run afterwards.',
      tags: ['working'],
      invoke: {
        src: 'finalizeTd',
        onDone: {
          target: 'provisioned',
          actions: { type: 'keepMrtd', params: output<Finalized> },
        },
        onError: { target: '#td-lifecycle.terminating', actions: keepError() },
      },
    },
    provisioned: {
      description: 'Every step is done.',
      type: 'final',
    },
  },
});
