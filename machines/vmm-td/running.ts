/** These states are those of a whole TD. In each of them the VMM may end by itself, and is watched for that. */
import { keepError, output } from '../actor-results.ts';
import { working } from '../working.ts';
import type { Watched } from './context.ts';
import { vmmSetup } from './setup.ts';
import { vmmRunSteps } from './steps.ts';

const [watchRunnable, enterVcpus, watchRunning, leaveVcpus, watchPaused, quitVmm] = vmmRunSteps;

const stopAfterError = { target: 'stopping', actions: keepError() } as const;

const ended = [
  {
    guard: { type: 'isReset', params: output<Watched> },
    target: 'stopping',
    actions: 'comeBack',
  },
  { target: 'stopping' },
] as const;

export const runnable = vmmSetup.createStateConfig({
  ...working(watchRunnable, { onDone: ended, onError: stopAfterError }),
  tags: ['whole'],
  on: {
    'td.start': { target: 'entering' },
    'vmm.resumed': { target: 'running' },
    'td.stop': { target: 'stopping' },
  },
});

export const entering = vmmSetup.createStateConfig({
  // A VMM that did not do it still has the TD; what it does later it tells.
  ...working(enterVcpus, { onDone: { target: 'running' }, onError: { target: 'paused' } }),
  on: { 'td.stop': { target: 'stopping' } },
});

export const running = vmmSetup.createStateConfig({
  ...working(watchRunning, { onDone: ended, onError: stopAfterError }),
  tags: ['whole'],
  on: {
    'td.pause': { target: 'pausing' },
    'vmm.stopped': { target: 'paused' },
    'td.stop': { target: 'stopping' },
  },
});

export const pausing = vmmSetup.createStateConfig({
  ...working(leaveVcpus, { onDone: { target: 'paused' }, onError: { target: 'running' } }),
  on: { 'td.stop': { target: 'stopping' } },
});

export const paused = vmmSetup.createStateConfig({
  ...working(watchPaused, { onDone: ended, onError: stopAfterError }),
  tags: ['whole'],
  on: {
    'td.resume': { target: 'entering' },
    'vmm.resumed': { target: 'running' },
    'td.stop': { target: 'stopping' },
  },
});

export const stopping = vmmSetup.createStateConfig({
  ...working(quitVmm, {
    onDone: { target: 'terminating' },
    // One that does not answer is killed, and nothing is wrong with the TD for that.
    onError: { target: 'terminating' },
  }),
  tags: ['ending'],
  on: { 'td.stop': { actions: 'stayDown' } },
});
