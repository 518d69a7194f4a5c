/**
 * These states prepare a VM that shall receive a TD: they make all that
 * KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM looks at, and nothing of a TD. There is one working state for each
 * row of `destinationSteps`.
 */

import { working } from '../working.ts';
import { beginning, release, terminate } from './provisioning.ts';
import { tdSetup } from './setup.ts';
import { destinationSteps } from './steps.ts';

const [, , capVcpus, initializeTd, createVcpus, setCpuid, mirrorMemory] = destinationSteps;

export const preparing = tdSetup.createStateConfig({
  description: 'A VM is being prepared to receive a TD that another VM holds.',
  tags: ['building'],
  initial: 'creatingVm',
  on: { 'td.stop': { target: 'interrupting' } },
  onDone: { target: 'receiving' },
  states: {
    ...beginning,
    cappingVcpus: working(capVcpus, {
      onDone: [
        { guard: 'mustInitializeFirst', target: 'initializingTd' },
        { target: 'creatingVcpus' },
      ],
      onError: release,
    }),
    initializingTd: working(initializeTd, {
      onDone: { target: 'creatingVcpus', actions: 'takeKeySlot' },
      onError: release,
    }),
    creatingVcpus: working(createVcpus, { onDone: { target: 'settingCpuid' }, onError: terminate }),
    settingCpuid: working(setCpuid, { onDone: { target: 'mirroringMemory' }, onError: terminate }),
    mirroringMemory: working(mirrorMemory, { onDone: { target: 'prepared' }, onError: terminate }),
    prepared: {
      description: 'Every step is done.',
      type: 'final',
    },
  },
});
