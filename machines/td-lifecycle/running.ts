/** A whole TD: at rest, with its vCPUs entered, or paused. */
import { keepError } from '../actor-results.ts';
import { tdSetup } from './setup.ts';

export const runnable = tdSetup.createStateConfig({
  description: 'The TD is measured and whole; its vCPUs may be entered.',
  tags: ['atRest', 'holdsResources'],
  on: {
    'td.start': { target: 'entering' },
    'td.handOver': { target: 'migratingOut' },
    'td.stop': { target: 'terminating' },
  },
});

export const entering = tdSetup.createStateConfig({
  description: 'KVM_RUN is called on every vCPU; one that the kernel refuses ends the TD.',
  tags: ['working', 'holdsResources'],
  on: { 'td.stop': { target: 'stopping' } },
  invoke: {
    src: 'enterVcpus',
    onDone: { target: 'running' },
    onError: { target: 'stopping', actions: keepError() },
  },
});

export const running = tdSetup.createStateConfig({
  description: 'Every vCPU is inside KVM_RUN.',
  tags: ['holdsResources'],
  on: {
    'td.pause': { target: 'pausing' },
    'td.stop': { target: 'stopping' },
  },
  invoke: {
    src: 'watchVcpus',
    // The guest has shut itself down.
    onDone: { target: 'stopping' },
    onError: { target: 'stopping', actions: keepError() },
  },
});

export const pausing = tdSetup.createStateConfig({
  description: 'Every vCPU is told to leave KVM_RUN, and awaited.',
  tags: ['working', 'holdsResources'],
  on: { 'td.stop': { target: 'stopping' } },
  invoke: {
    src: 'leaveVcpus',
    onDone: { target: 'paused' },
    onError: { target: 'terminating', actions: keepError() },
  },
});

export const paused = tdSetup.createStateConfig({
  description: 'The TD is whole and no vCPU is inside KVM_RUN: it can go on, or move.',
  tags: ['atRest', 'holdsResources'],
  on: {
    'td.resume': { target: 'entering' },
    'td.handOver': { target: 'migratingOut' },
    'td.stop': { target: 'terminating' },
  },
});

export const stopping = tdSetup.createStateConfig({
  description: 'The vCPUs leave KVM_RUN, because the TD is to be taken down.',
  tags: ['working', 'holdsResources'],
  on: { 'td.stop': {} },
  invoke: {
    src: 'stopVcpus',
    onDone: { target: 'terminating' },
    onError: { target: 'terminating', actions: keepError() },
  },
});
