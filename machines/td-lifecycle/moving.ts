/** A TD's part in an intra-host migration, on either side; `intra-host-migration` conducts it. */
import { tdSetup } from './setup.ts';

export const receiving = tdSetup.createStateConfig({
  description: 'An empty VM that waits for the TD; it holds fds and no TD.',
  tags: ['atRest', 'holdsResources'],
  on: {
    'td.arrived': {
      target: 'paused',
      actions: { type: 'keepArrived', params: ({ event }) => event },
    },
    'td.stop': [{ guard: 'holdsKeySlot', target: 'terminating' }, { target: 'releasing' }],
  },
});

export const migratingOut = tdSetup.createStateConfig({
  description: 'The TD is in the hands of a migration, which alone says what comes of it.',
  tags: ['atRest', 'holdsResources'],
  on: {
    'td.keep': { target: 'paused' },
    'td.moved': { target: 'movedAway', actions: 'dropKeySlot' },
    'td.lost': {
      target: 'releasing',
      actions: { type: 'keepError', params: ({ event }) => ({ error: event.error }) },
    },
    'td.stop': { target: 'terminating' },
  },
});

export const movedAway = tdSetup.createStateConfig({
  description:
    'The TD is in another VM. This one is dead; closing its fds frees nothing of the TD.',
  tags: ['atRest', 'holdsResources'],
  on: { 'td.stop': { target: 'releasing' } },
});
