/**
 * These states are a TD's part in an intra-host migration, on either side; `intra-host-migration`
 * conducts it.
 */
import type { TdEvent } from './events.ts';
import { tdSetup } from './setup.ts';

const arrived = {
  type: 'keepArrived',
  params: ({ event }: { event: Extract<TdEvent, { type: 'td.arrived' }> }) => event,
} as const;

export const receiving = tdSetup.createStateConfig({
  description: 'An empty VM that waits for the TD; it holds fds and no TD.',
  on: {
    'td.arrived': [
      { guard: 'hasRun', target: 'paused', actions: arrived },
      { target: 'runnable', actions: arrived },
    ],
    'td.stop': [{ guard: 'holdsKeySlot', target: 'terminating' }, { target: 'releasing' }],
  },
});

/** The kernel may be at work on this VM at any moment, so these states take nothing of it down. */
export const migratingOut = tdSetup.createStateConfig({
  description: 'The TD is in the hands of a migration, which alone says what comes of it.',
  initial: 'handedOver',
  on: {
    'td.lost': {
      target: 'releasing',
      actions: { type: 'keepError', params: ({ event }) => ({ error: event.error }) },
    },
  },
  states: {
    handedOver: {
      description: 'The vCPUs are out of KVM_RUN, and the migration moves the TD or gives it back.',
      on: {
        'td.keep': [
          { guard: 'hasRun', target: '#td-lifecycle.paused' },
          { target: '#td-lifecycle.runnable' },
        ],
        'td.moved': { target: '#td-lifecycle.movedAway', actions: 'dropKeySlot' },
        'td.stop': { target: 'stopRequested' },
      },
    },
    stopRequested: {
      description: 'A stop has come meanwhile. It is taken as soon as the migration lets go.',
      on: {
        'td.keep': { target: '#td-lifecycle.terminating' },
        'td.moved': { target: '#td-lifecycle.releasing', actions: 'dropKeySlot' },
        'td.stop': {},
      },
    },
  },
});

export const movedAway = tdSetup.createStateConfig({
  description:
    'The TD is in another VM. This one is dead; closing its fds frees nothing of the TD.',
  on: { 'td.stop': { target: 'releasing' } },
});
