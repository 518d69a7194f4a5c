/** These states build the TD. There is one working state for each row of `tdSteps`. */

import { keepError, output } from '../actor-results.ts';
import { working } from '../working.ts';
import type { Finalized, LimitsRead } from './context.ts';
import { tdSetup } from './setup.ts';
import { tdSteps } from './steps.ts';

const [createVm, readLimits, capVcpus, initializeTd, createVcpus, ...theRest] = tdSteps;
const [initializeVcpus, addMemory, finalize] = theRest;

/** Before KVM_TDX_INIT_VM there is no key slot to free. */
export const release = { target: '#td-lifecycle.releasing', actions: keepError() } as const;
export const terminate = { target: '#td-lifecycle.terminating', actions: keepError() } as const;

/** A TD and the destination of a move begin with these states. */
export const beginning = {
  creatingVm: working(createVm, { onDone: { target: 'readingLimits' }, onError: release }),
  readingLimits: working(readLimits, {
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
    onError: release,
  }),
};

export const provisioning = tdSetup.createStateConfig({
  description: 'The TD is being built, one step after the other.',
  tags: ['building'],
  initial: 'creatingVm',
  on: { 'td.stop': { target: 'interrupting' } },
  onDone: { target: 'runnable' },
  states: {
    ...beginning,
    cappingVcpus: working(capVcpus, { onDone: { target: 'initializingTd' }, onError: release }),
    initializingTd: working(initializeTd, {
      onDone: { target: 'creatingVcpus', actions: 'takeKeySlot' },
      onError: release,
    }),
    creatingVcpus: working(createVcpus, {
      onDone: { target: 'initializingVcpus' },
      onError: terminate,
    }),
    initializingVcpus: working(initializeVcpus, {
      onDone: { target: 'addingMemory' },
      onError: terminate,
    }),
    addingMemory: working(addMemory, { onDone: { target: 'finalizing' }, onError: terminate }),
    finalizing: working(finalize, {
      onDone: { target: 'provisioned', actions: { type: 'keepMrtd', params: output<Finalized> } },
      onError: terminate,
    }),
    provisioned: {
      description: 'Every step is done.',
      type: 'final',
    },
  },
});
