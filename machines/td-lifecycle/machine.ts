/**
 * The life of one TD.
 *
 *   absent ──td.create──> provisioning ──all steps done──> runnable
 *                           │      │                          │
 *                       a step   td.stop                   td.stop
 *                        fails     │                          │
 *                           │      v                          │
 *                           │  interrupting                   │
 *                           v      v                          v
 *                     terminating (only with a key slot) ──> releasing
 *                                                              │
 *                                     destroyed / failed / stuck
 *
 * The happy path walks the rows of steps.ts. Every way out ends in `releasing`, and from there:
 * `destroyed`, everything given back because it was asked for; `failed`, everything given back
 * after a step failed; `stuck`, something could not be given back and a person must act.
 *
 * Pure: actions only assign. The effects are the named actors; orchestrators provide them.
 */
import type { DoneActorEvent, ErrorActorEvent } from 'xstate';
import type { Finalized, LimitsRead, Released, Settled } from './context.ts';
import { tdSetup } from './setup.ts';

export const TD_LIFECYCLE_VERSION = 1;

export const tdLifecycle = tdSetup.createMachine({
  id: 'td-lifecycle',
  description: 'The life of one trust domain, from nothing to nothing.',
  context: ({ input }) => ({
    ...input,
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
      tags: ['atRest'],
      on: {
        'td.create': { target: 'provisioning' },
        'td.stop': { target: 'destroyed' },
      },
    },

    provisioning: {
      description: 'The TD is being built, one step after the other.',
      tags: ['holdsResources'],
      initial: 'creatingVm',
      on: { 'td.stop': { target: 'interrupting' } },
      onDone: { target: 'runnable' },
      states: {
        creatingVm: {
          description: 'A VM of type KVM_X86_TDX_VM is made. It takes no key slot and no TD page.',
          tags: ['working'],
          invoke: {
            src: 'createVm',
            onDone: { target: 'readingLimits' },
            onError: { target: '#td-lifecycle.releasing', actions: keepError() },
          },
        },
        readingLimits: {
          description: 'The four vCPU limits are read; too many vCPUs never reach the kernel.',
          tags: ['working'],
          invoke: {
            src: 'readLimits',
            onDone: [
              {
                guard: { type: 'vcpusFit', params: output<LimitsRead> },
                target: 'cappingVcpus',
                actions: { type: 'keepLimits', params: output<LimitsRead> },
              },
              {
                target: '#td-lifecycle.releasing',
                actions: { type: 'refuseVcpus', params: output<LimitsRead> },
              },
            ],
            onError: { target: '#td-lifecycle.releasing', actions: keepError() },
          },
        },
        cappingVcpus: {
          description:
            'KVM_CAP_MAX_VCPU_ID, and KVM_CAP_MAX_VCPUS where the kernel has it, are set.',
          tags: ['working'],
          invoke: {
            src: 'capVcpus',
            onDone: { target: 'initializingTd' },
            onError: { target: '#td-lifecycle.releasing', actions: keepError() },
          },
        },
        initializingTd: {
          description: 'KVM_TDX_INIT_VM takes a key slot (HKID) and builds TDR and TDCS.',
          tags: ['working'],
          invoke: {
            src: 'initializeTd',
            onDone: { target: 'creatingVcpus', actions: 'takeKeySlot' },
            onError: { target: '#td-lifecycle.releasing', actions: keepError() },
          },
        },
        creatingVcpus: {
          description: 'All vCPUs are made now: after FINALIZE_VM the set is frozen.',
          tags: ['working'],
          invoke: {
            src: 'createVcpus',
            onDone: { target: 'initializingVcpus' },
            onError: { target: '#td-lifecycle.terminating', actions: keepError() },
          },
        },
        initializingVcpus: {
          description: 'Each vCPU gets its CPUID, then its TDVPR and TDCX pages.',
          tags: ['working'],
          invoke: {
            src: 'initializeVcpus',
            onDone: { target: 'addingMemory' },
            onError: { target: '#td-lifecycle.terminating', actions: keepError() },
          },
        },
        addingMemory: {
          description: 'Memory slots are set and the firmware pages are added and measured.',
          tags: ['working'],
          invoke: {
            src: 'addMemory',
            onDone: { target: 'finalizing' },
            onError: { target: '#td-lifecycle.terminating', actions: keepError() },
          },
        },
        finalizing: {
          description: 'KVM_TDX_FINALIZE_VM closes MRTD; the TD may run afterwards.',
          tags: ['working'],
          invoke: {
            src: 'finalizeTd',
            onDone: {
              target: 'provisioned',
              actions: { type: 'keepMrtd', params: output<Finalized> },
            },
            onError: { target: '#td-lifecycle.terminating', actions: keepError() },
          },
        },
        provisioned: {
          description: 'Every step is done.',
          type: 'final',
        },
      },
    },

    runnable: {
      description: 'The TD is measured and whole; its vCPUs may be entered.',
      tags: ['atRest', 'holdsResources'],
      on: { 'td.stop': { target: 'terminating' } },
    },

    interrupting: {
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
    },

    terminating: {
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
    },

    releasing: {
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
    },

    destroyed: {
      description: 'Everything was given back, as asked.',
      tags: ['ended'],
      type: 'final',
    },
    failed: {
      description: 'A step failed; everything was given back.',
      tags: ['ended'],
      type: 'final',
    },
    stuck: {
      description: 'Something could not be given back; the leftovers say what a person must do.',
      tags: ['ended'],
      type: 'final',
    },
  },
  output: ({ context }) => ({
    name: context.name,
    outcome: context.leftovers.length > 0 ? 'stuck' : context.error ? 'failed' : 'destroyed',
    error: context.error,
    leftovers: context.leftovers,
  }),
});

function output<Output>({ event }: { event: DoneActorEvent<Output> }): Output {
  return event.output;
}

function keepError() {
  return {
    type: 'keepError' as const,
    params: ({ event }: { event: ErrorActorEvent }) => ({ error: event.error }),
  };
}
