/** These states give everything back, whatever came before. */

import { actorError, keepError, output } from '../actor-results.ts';
import { working } from '../working.ts';
import type { Released, Settled } from './context.ts';
import { tdSetup } from './setup.ts';
import { teardownSteps } from './steps.ts';

const [terminateTd, releaseTd] = teardownSteps;

export const interrupting = tdSetup.createStateConfig({
  description: 'A stop came during a step. The ioctl under way is asked to end, and awaited.',
  tags: ['ending'],
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
    // If it is not known what is held, the teardown takes the way that covers both cases.
    onError: { target: 'terminating', actions: keepError() },
  },
});

export const terminating = tdSetup.createStateConfig({
  ...working(terminateTd, {
    onDone: { target: 'releasing' },
    // The last close frees the slot too, only later. The teardown therefore goes on, and keeps the
    // error if it is the first.
    onError: { target: 'releasing', actions: keepError() },
  }),
  tags: ['ending'],
  on: { 'td.stop': {} },
});

export const releasing = tdSetup.createStateConfig({
  ...working(releaseTd, {
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
      actions: { type: 'keepLeftoverError', params: actorError },
    },
  }),
  tags: ['ending'],
  on: { 'td.stop': {} },
});
