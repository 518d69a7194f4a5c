/** Everything is given back, whatever came before. */

import { keepError, output } from '../actor-results.ts';
import type { Released, Settled } from './context.ts';
import { tdSetup } from './setup.ts';

export const interrupting = tdSetup.createStateConfig({
  description: 'A stop came during a step. The ioctl under way is asked to end, and awaited.',
  tags: ['working', 'holdsResources'],
  on: { 'td.stop': {} },
  invoke: {
    src: 'settleStep',
    onDone: [
      {
        guard: { type: 'keepsKeySlot', params: output<Settled> },
        target: 'terminating',
        actions: { type: 'keepSettled', params: output<Settled> },
      },
      { target: 'releasing', actions: { type: 'keepSettled', params: output<Settled> } },
    ],
    // Not knowing what is held, take the way that covers both.
    onError: { target: 'terminating', actions: keepError() },
  },
});

export const terminating = tdSetup.createStateConfig({
  description:
    'KVM_TDX_TERMINATE_VM frees the key slot before the memory, where the kernel has it.',
  tags: ['working', 'holdsResources'],
  on: { 'td.stop': {} },
  invoke: {
    src: 'terminateTd',
    onDone: { target: 'releasing' },
    // The last close frees the slot too, only later: go on, and keep the error if it is the first.
    onError: { target: 'releasing', actions: keepError() },
  },
});

export const releasing = tdSetup.createStateConfig({
  description: 'Rundown: fds are being closed, references still exist.',
  tags: ['working', 'holdsResources'],
  on: { 'td.stop': {} },
  invoke: {
    src: 'releaseTd',
    onDone: [
      {
        guard: { type: 'allGivenBack', params: output<Released> },
        target: 'destroyed',
        actions: { type: 'keepLeftovers', params: output<Released> },
      },
      {
        guard: { type: 'allGivenBackAfterError', params: output<Released> },
        target: 'failed',
        actions: { type: 'keepLeftovers', params: output<Released> },
      },
      {
        target: 'stuck',
        actions: { type: 'keepLeftovers', params: output<Released> },
      },
    ],
    onError: {
      target: 'stuck',
      actions: { type: 'keepLeftoverError', params: ({ event }) => ({ error: event.error }) },
    },
  },
});
