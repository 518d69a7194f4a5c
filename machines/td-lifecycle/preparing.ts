/**
 * A VM that shall receive a TD: all that KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM looks at, and nothing of a
 * TD. One working state for each row of `destinationSteps`.
 */

import { keepError, output } from '../actor-results.ts';
import type { LimitsRead } from './context.ts';
import { tdSetup } from './setup.ts';

export const preparing = tdSetup.createStateConfig({
  description: 'A VM is being prepared to receive a TD that another VM holds.',
  tags: ['holdsResources'],
  initial: 'creatingVm',
  on: { 'td.stop': { target: 'interrupting' } },
  onDone: { target: 'receiving' },
  states: {
    creatingVm: {
      description: 'A VM of the same type and with the same irqchip as the source is made.',
      tags: ['working'],
      invoke: {
        src: 'createVm',
        onDone: { target: 'readingLimits' },
        onError: { target: '#td-lifecycle.releasing', actions: keepError() },
      },
    },
    readingLimits: {
      description: 'The vCPU limits of this VM are read: it takes as many vCPUs as the source has.',
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
      description: 'The same capabilities as on the source are set.',
      tags: ['working'],
      invoke: {
        src: 'capVcpus',
        onDone: [
          { guard: 'mustInitializeFirst', target: 'initializingTd' },
          { target: 'creatingVcpus' },
        ],
        onError: { target: '#td-lifecycle.releasing', actions: keepError() },
      },
    },
    initializingTd: {
      description:
        'Only where the kernel makes no vCPU before KVM_TDX_INIT_VM: a key slot is taken that will ' +
        'never be used.',
      tags: ['working'],
      invoke: {
        src: 'initializeTd',
        onDone: { target: 'creatingVcpus', actions: 'takeKeySlot' },
        onError: { target: '#td-lifecycle.releasing', actions: keepError() },
      },
    },
    creatingVcpus: {
      description: 'As many vCPUs as the source has, with the same ids in the same order.',
      tags: ['working'],
      invoke: {
        src: 'createVcpus',
        onDone: { target: 'settingCpuid' },
        onError: { target: '#td-lifecycle.terminating', actions: keepError() },
      },
    },
    settingCpuid: {
      description: 'Each vCPU gets the CPUID of the TD; a move without x2APIC in it loses the TD.',
      tags: ['working'],
      invoke: {
        src: 'setCpuid',
        onDone: { target: 'mirroringMemory' },
        onError: { target: '#td-lifecycle.terminating', actions: keepError() },
      },
    },
    mirroringMemory: {
      description: "The source's slots are set again, on the pages of the source's guest_memfds.",
      tags: ['working'],
      invoke: {
        src: 'mirrorMemory',
        onDone: { target: 'prepared' },
        onError: { target: '#td-lifecycle.terminating', actions: keepError() },
      },
    },
    prepared: {
      description: 'Every step is done.',
      type: 'final',
    },
  },
});
