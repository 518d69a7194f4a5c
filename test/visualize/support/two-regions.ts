/** A machine with one of everything the lifecycle has none of: regions, history, timers, guards. */
import { createMachine } from 'xstate';
import type { RegisteredMachine } from '../../../src/visualize/extract.ts';

const machine = createMachine({
  id: 'two-regions',
  description: 'A vCPU and its memory, side by side.',
  initial: 'off',
  on: { kill: '.off', note: { actions: 'log' } },
  states: {
    off: { description: 'Nothing runs.', on: { start: 'on' } },
    on: {
      type: 'parallel',
      tags: ['busy'],
      entry: 'boot',
      exit: 'halt',
      on: { stop: 'off', retry: { target: 'on', reenter: true, description: 'Once more.' } },
      onDone: 'finished',
      states: {
        cpu: {
          initial: 'running',
          states: {
            running: { on: { pause: 'paused' }, after: { 500: 'paused', patience: 'halted' } },
            paused: { on: { resume: { guard: 'mayRun', target: 'running' } } },
            halted: { type: 'final' },
          },
        },
        memory: {
          initial: 'shared',
          states: {
            shared: {
              invoke: {
                src: 'convert',
                id: 'conversion',
                onDone: 'private',
                onError: '#two-regions.broken',
              },
            },
            private: {
              always: { guard: 'isOdd', target: 'shared' },
              on: { crash: '#two-regions.broken', close: 'closed' },
            },
            closed: { type: 'final' },
            last: { type: 'history', history: 'deep', target: 'shared' },
          },
        },
      },
    },
    broken: {
      initial: 'fresh',
      on: { inspect: '.looked' },
      states: {
        fresh: {},
        looked: { on: { reset: '#two-regions.off', back: '#two-regions.on.memory.last' } },
      },
    },
    finished: { type: 'final' },
  },
});

export const twoRegions: RegisteredMachine = {
  id: 'two-regions',
  version: 3,
  machine,
  steps: [
    {
      state: 'shared',
      actor: 'convert',
      requests: ['KVM_SET_MEMORY_ATTRIBUTES'],
      undo: { leftTo: 'the kernel' },
    },
  ],
};
