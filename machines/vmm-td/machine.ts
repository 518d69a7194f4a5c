/**
 * This chart is the life of one TD that a VMM makes and runs. Its outer states and its ends are those of td-lifecycle;
 * what lies between them is what a VMM lets be seen.
 *
 *   absent ──td.create──> provisioning ──the VMM has made it──> runnable ──td.start──> entering
 *      │                    │      │                            │  ^                      │
 *      │                a step   td.stop                    td.stop│                      v
 *      │                 fails     │                            │  │       pausing <── running
 *      │                    │      v                            │  │          │           │
 *      │                    │  interrupting                     │  │          v       td.stop, or
 *      │                    v      v                            v  │       paused     its own end
 *      │                   terminating <──────────────────── stopping <───────┴───────────┘
 *      │                        │                                  │
 *      │                        v                                  │
 *      │                    releasing ──a reset, by policy──> provisioning
 *      │                        │
 *      │                        └──> destroyed / failed / stuck
 *      │
 *      └──td.adopt──> where a keeper finds a VMM that another one has left
 *
 * A VMM that resets a TD makes a second one before the first is gone, which takes a second key slot. So a reset is an
 * end here, and where it is wanted the TD is made anew once the slot is seen to be free.
 *
 * The chart is pure: actions only assign. The effects are the named actors; src/vmm/run/ provides them.
 */
import type { SnapshotFrom } from 'xstate';
import type { StateId } from '../state-id.ts';
import { ends, tdOutput } from '../td-lifecycle/index.ts';
import type { FoundVmm } from './context.ts';
import { provisioning } from './provisioning.ts';
import { entering, paused, pausing, runnable, running, stopping } from './running.ts';
import { vmmSetup } from './setup.ts';
import { interrupting, releasing, terminating } from './teardown.ts';

export const VMM_TD_VERSION = 1;

const foundAs = (as: FoundVmm) =>
  ({
    type: 'isFound',
    params: ({ event }: { event: { found: FoundVmm } }) => ({ found: event.found, as }),
  }) as const;

export const vmmTd = vmmSetup.createMachine({
  id: 'vmm-td',
  description: 'The life of one trust domain in a VMM, from nothing to nothing.',
  context: ({ input }) => ({
    ...input,
    holdsKeySlot: false,
    mrtd: null,
    comesBack: false,
    error: null,
    leftovers: [],
  }),
  initial: 'absent',
  states: {
    absent: {
      description: 'Nothing exists yet, or nothing that this keeper knows of.',
      on: {
        'td.create': { target: 'provisioning' },
        'td.adopt': [
          { guard: foundAs('unbuilt'), target: 'provisioning.initializingTd' },
          { guard: foundAs('built'), target: 'runnable', actions: 'takeKeySlot' },
          { guard: foundAs('running'), target: 'running', actions: 'takeKeySlot' },
          { guard: foundAs('paused'), target: 'paused', actions: 'takeKeySlot' },
          { target: 'stopping', actions: 'takeKeySlot' },
        ],
        'td.stop': { target: 'destroyed' },
      },
    },
    provisioning,
    runnable,
    entering,
    running,
    pausing,
    paused,
    stopping,
    interrupting,
    terminating,
    releasing,
    ...ends,
    failed: { ...ends.failed, description: 'Something failed; everything was given back.' },
  },
  output: tdOutput,
});

export type VmmTdStateId = StateId<SnapshotFrom<typeof vmmTd>['value']>;
