/** These states give everything back, whatever came before. */
import { actorError, keepError, output } from '../actor-results.ts';
import { working } from '../working.ts';
import type { VmmReleased, VmmSettled } from './context.ts';
import { vmmSetup } from './setup.ts';
import { vmmTeardownSteps } from './steps.ts';

const [killVmm, releaseVmm] = vmmTeardownSteps;

export const interrupting = vmmSetup.createStateConfig({
  description: 'A stop came during a step. What the VMM is asked for is not waited for.',
  tags: ['ending'],
  on: { 'td.stop': { actions: 'stayDown' } },
  invoke: {
    src: 'settleStep',
    onDone: {
      target: 'terminating',
      actions: { type: 'keepSettled', params: output<VmmSettled> },
    },
    onError: { target: 'terminating', actions: keepError() },
  },
});

export const terminating = vmmSetup.createStateConfig({
  ...working(killVmm, {
    onDone: { target: 'releasing' },
    // A process that cannot be killed keeps what it has, and that is told.
    onError: { target: 'releasing', actions: { type: 'keepLeftoverError', params: actorError } },
  }),
  tags: ['ending'],
  on: { 'td.stop': { actions: 'stayDown' } },
});

export const releasing = vmmSetup.createStateConfig({
  ...working(releaseVmm, {
    onDone: [
      {
        guard: { type: 'isToComeBack', params: output<VmmReleased> },
        target: 'provisioning',
        actions: 'beginAgain',
      },
      {
        guard: { type: 'allGivenBack', params: output<VmmReleased> },
        target: 'destroyed',
        actions: { type: 'keepLeftovers', params: output<VmmReleased> },
      },
      {
        guard: { type: 'allGivenBackAfterError', params: output<VmmReleased> },
        target: 'failed',
        actions: { type: 'keepLeftovers', params: output<VmmReleased> },
      },
      { target: 'stuck', actions: { type: 'keepLeftovers', params: output<VmmReleased> } },
    ],
    onError: { target: 'stuck', actions: { type: 'keepLeftoverError', params: actorError } },
  }),
  tags: ['ending'],
  on: { 'td.stop': { actions: 'stayDown' } },
});
