/** These states build the TD, as far as the VMM lets it be seen. There is one working state for each row of `vmmSteps`. */
import { keepError } from '../actor-results.ts';
import { working } from '../working.ts';
import { vmmSetup } from './setup.ts';
import { vmmSteps } from './steps.ts';

const [launchVmm, connectVmm, buildTd] = vmmSteps;

/** The process may be there whatever the step has come to. */
const terminate = { target: '#vmm-td.terminating', actions: keepError() } as const;

export const provisioning = vmmSetup.createStateConfig({
  description: 'The TD is being built by its VMM.',
  tags: ['building'],
  initial: 'creatingVm',
  on: { 'td.stop': { target: 'interrupting', actions: 'stayDown' } },
  onDone: [
    { guard: 'comesBack', target: 'entering', actions: 'hasComeBack' },
    { target: 'runnable' },
  ],
  states: {
    creatingVm: working(launchVmm, { onDone: { target: 'connecting' }, onError: terminate }),
    connecting: working(connectVmm, { onDone: { target: 'initializingTd' }, onError: terminate }),
    initializingTd: working(buildTd, {
      onDone: { target: 'provisioned', actions: 'takeKeySlot' },
      onError: terminate,
    }),
    provisioned: { description: 'The VMM says that the TD is whole.', type: 'final' },
  },
});
