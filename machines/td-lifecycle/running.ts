/** These states are those of a whole TD, which is at rest, has its vCPUs entered, or is paused. */
import { keepError } from '../actor-results.ts';
import { working } from '../working.ts';
import { tdSetup } from './setup.ts';
import { runSteps } from './steps.ts';

const [enterVcpus, watchVcpus, leaveVcpus, stopVcpus] = runSteps;

const stopAfterError = { target: 'stopping', actions: keepError() } as const;
const terminateAfterError = { target: 'terminating', actions: keepError() } as const;

export const runnable = tdSetup.createStateConfig({
  description: 'The TD is measured and whole; its vCPUs may be entered.',
  tags: ['whole'],
  on: {
    'td.start': { target: 'entering' },
    'td.handOver': { target: 'migratingOut' },
    'td.stop': { target: 'terminating' },
  },
});

export const entering = tdSetup.createStateConfig({
  ...working(enterVcpus, { onDone: { target: 'running' }, onError: stopAfterError }),
  on: { 'td.stop': { target: 'stopping' } },
});

export const running = tdSetup.createStateConfig({
  // The guest has shut itself down.
  ...working(watchVcpus, { onDone: { target: 'stopping' }, onError: stopAfterError }),
  tags: ['whole'],
  on: {
    'td.pause': { target: 'pausing' },
    'td.stop': { target: 'stopping' },
  },
});

export const pausing = tdSetup.createStateConfig({
  ...working(leaveVcpus, { onDone: { target: 'paused' }, onError: terminateAfterError }),
  on: { 'td.stop': { target: 'stopping' } },
});

export const paused = tdSetup.createStateConfig({
  description: 'The TD is whole and no vCPU is inside KVM_RUN: it can go on, or move.',
  tags: ['whole'],
  on: {
    'td.resume': { target: 'entering' },
    'td.handOver': { target: 'migratingOut' },
    'td.stop': { target: 'terminating' },
  },
});

export const stopping = tdSetup.createStateConfig({
  ...working(stopVcpus, { onDone: { target: 'terminating' }, onError: terminateAfterError }),
  tags: ['ending'],
  on: { 'td.stop': {} },
});
