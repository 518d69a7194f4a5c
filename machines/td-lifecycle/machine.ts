/**
 * This chart is the life of one TD.
 *
 *   absent ──td.create──> provisioning ──all steps done──> runnable ──td.start──> entering
 *      │                    │      │                          │                      │
 *      │                a step   td.stop                   td.stop                   v
 *      │                 fails     │                          │     pausing <── running
 *      │                    │      v                          │        │           │
 *      │                    │  interrupting                   │        v        td.stop
 *      │                    v      v                          v     paused         │
 *      │              terminating (only with a key slot) <────┴───────┴── stopping <┘
 *      │                    │
 *      │                    v
 *      │                releasing ──> destroyed / failed / stuck
 *      │
 *      └──td.receive──> preparing ──> receiving ──td.arrived──> paused, or runnable where it never ran
 *
 * The happy path walks the rows of steps.ts. Every way out ends in `releasing`, and from there:
 * `destroyed`, everything given back because it was asked for; `failed`, everything given back
 * after a step failed; `stuck`, something could not be given back and a person must act.
 *
 * A TD that moves to another VM on the host has two of these: the source goes paused or runnable ->
 * `migratingOut` -> `movedAway`, the destination `preparing` -> `receiving` -> paused or runnable. A stop that
 * comes in `migratingOut` waits until the migration lets go of the source.
 *
 * The chart is pure: actions only assign. The effects are the named actors; orchestrators provide them.
 */
import type { SnapshotFrom } from 'xstate';
import type { StateId } from '../state-id.ts';
import { ends, tdOutput } from './ends.ts';
import { migratingOut, movedAway, receiving } from './moving.ts';
import { preparing } from './preparing.ts';
import { provisioning } from './provisioning.ts';
import { entering, paused, pausing, runnable, running, stopping } from './running.ts';
import { tdSetup } from './setup.ts';
import { interrupting, releasing, terminating } from './teardown.ts';

export const TD_LIFECYCLE_VERSION = 4;

export const tdLifecycle = tdSetup.createMachine({
  id: 'td-lifecycle',
  description: 'The life of one trust domain, from nothing to nothing.',
  context: ({ input }) => ({
    ...input,
    initializesFirst: input.initializesFirst ?? false,
    limits: null,
    holdsKeySlot: false,
    mrtd: null,
    error: null,
    leftovers: [],
  }),
  initial: 'absent',
  states: {
    absent: {
      description: 'Nothing exists yet: no fd, no memory, no key slot.',
      on: {
        'td.create': { target: 'provisioning' },
        'td.receive': { target: 'preparing' },
        'td.stop': { target: 'destroyed' },
      },
    },
    provisioning,
    preparing,
    receiving,
    runnable,
    entering,
    running,
    pausing,
    paused,
    migratingOut,
    movedAway,
    stopping,
    interrupting,
    terminating,
    releasing,
    ...ends,
  },
  output: tdOutput,
});

export type TdStateId = StateId<SnapshotFrom<typeof tdLifecycle>['value']>;
