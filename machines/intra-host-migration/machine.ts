/**
 * A TD moves from one VM to another on the same host.
 *
 *   revocable: checking ──> preparingDestination ──> quiescingSource
 *                 │               │                        │    │
 *              refused       a step fails, or migration.cancel  │
 *                 │               └───> rollingBack <──────┘    │
 *                 v                          │                  │
 *             sourceKept <───────────────────┤      ═ the point of no return ═
 *                                            │                  │
 *   irrevocable:            the source still has it             v
 *                                findingOwner <── fails ──── moving
 *                                     │   ^                     │
 *                           nobody has it └─── fails ──┐        v
 *                                     │            resumingDestination
 *                                     v                         │
 *                  lost <── clearingUp                          v
 *                                                        retiringSource ──> completed
 *                                                               │
 *                                                               └─> destinationOnly
 *
 * The point of no return is the border between the two boxes. KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM may be
 * refused before it has touched anything, or after it has killed the source; its errno does not tell
 * which. So nothing is concluded from it: `findingOwner` asks both VMs.
 *
 * Pure: actions only assign. The effects are the named actors; orchestrators provide them.
 */

import { keepError, output } from '../actor-results.ts';
import type { GivenBack, OwnerFound, RolledBack, Verdict } from './context.ts';
import { migrationSetup } from './setup.ts';

export const INTRA_HOST_MIGRATION_VERSION = 1;

export const intraHostMigration = migrationSetup.createMachine({
  id: 'intra-host-migration',
  description: 'A TD moves to another VM on the same host.',
  context: ({ input }) => ({ ...input, error: null, leftovers: [], resumed: null }),
  initial: 'revocable',
  states: {
    revocable: {
      description: 'The source has the TD, and whatever was done can be undone.',
      tags: ['revocable'],
      initial: 'checking',
      onDone: { target: 'irrevocable' },
      states: {
        checking: {
          description: 'Source, kernel and limits are looked at; nothing is made yet.',
          tags: ['working'],
          on: {
            'migration.cancel': {
              target: '#intra-host-migration.sourceKept',
              actions: 'noteCancelled',
            },
          },
          invoke: {
            src: 'checkMigration',
            onDone: { target: 'preparingDestination' },
            onError: { target: '#intra-host-migration.sourceKept', actions: keepError() },
          },
        },
        preparingDestination: {
          description:
            'A td-lifecycle in the role of destination makes a VM; the source runs on meanwhile.',
          tags: ['working'],
          on: {
            'migration.cancel': {
              target: '#intra-host-migration.rollingBack',
              actions: 'noteCancelled',
            },
          },
          invoke: {
            src: 'prepareDestination',
            onDone: { target: 'quiescingSource' },
            onError: { target: '#intra-host-migration.rollingBack', actions: keepError() },
          },
        },
        quiescingSource: {
          description: 'The vCPUs of the source leave KVM_RUN. The blackout begins.',
          tags: ['working'],
          on: {
            'migration.cancel': {
              target: '#intra-host-migration.rollingBack',
              actions: 'noteCancelled',
            },
          },
          invoke: {
            src: 'quiesceSource',
            onDone: { target: 'quiesced' },
            onError: { target: '#intra-host-migration.rollingBack', actions: keepError() },
          },
        },
        quiesced: {
          description: 'Both sides are ready. What follows cannot be undone.',
          type: 'final',
        },
      },
    },

    rollingBack: {
      description: 'The destination is taken down and the source goes on. The blackout ends.',
      tags: ['working'],
      invoke: {
        src: 'rollBack',
        onDone: [
          {
            guard: { type: 'sourceIsKept', params: output<RolledBack> },
            target: 'sourceKept',
            actions: { type: 'keepLeftovers', params: output<RolledBack> },
          },
          {
            target: 'clearingUp',
            actions: { type: 'keepLeftovers', params: output<RolledBack> },
          },
        ],
        onError: { target: 'clearingUp', actions: keepError() },
      },
    },

    irrevocable: {
      description: 'The move is made. Only forward from here.',
      tags: ['irrevocable'],
      initial: 'moving',
      states: {
        moving: {
          description:
            'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM. On its way it kills the source; an error after that ' +
            'loses the TD.',
          tags: ['working'],
          invoke: {
            src: 'moveContext',
            onDone: { target: 'resumingDestination' },
            onError: { target: 'findingOwner', actions: keepError() },
          },
        },
        findingOwner: {
          description:
            'The move was refused, or the TD does not run: both VMs are asked who has it.',
          tags: ['working'],
          invoke: {
            src: 'findOwner',
            onDone: [
              {
                guard: { type: 'sourceHasIt', params: output<OwnerFound> },
                target: '#intra-host-migration.rollingBack',
              },
              {
                guard: { type: 'destinationMayRunIt', params: output<OwnerFound> },
                target: 'resumingDestination',
              },
              {
                guard: { type: 'destinationHasIt', params: output<OwnerFound> },
                target: 'retiringSource',
              },
              { target: '#intra-host-migration.clearingUp' },
            ],
            // Not knowing, keep what can be kept: rolling back looks at the source again.
            onError: { target: '#intra-host-migration.rollingBack', actions: keepError() },
          },
        },
        resumingDestination: {
          description: 'The vCPUs of the destination are entered. The blackout ends.',
          tags: ['working'],
          invoke: {
            src: 'resumeDestination',
            onDone: { target: 'retiringSource', actions: 'noteResumed' },
            onError: { target: 'findingOwner', actions: ['noteNotResumed', keepError()] },
          },
        },
        retiringSource: {
          description: 'The TD runs in the destination; the fds of the source are closed.',
          tags: ['working'],
          invoke: {
            src: 'retireSource',
            onDone: [
              {
                guard: { type: 'allDone', params: output<GivenBack> },
                target: '#intra-host-migration.completed',
              },
              {
                target: '#intra-host-migration.destinationOnly',
                actions: { type: 'keepLeftovers', params: output<GivenBack> },
              },
            ],
            onError: {
              target: '#intra-host-migration.destinationOnly',
              actions: {
                type: 'keepLeftoverError',
                params: ({ event }) => ({ error: event.error }),
              },
            },
          },
        },
      },
    },

    clearingUp: {
      description: 'Neither VM can run the TD: both are given back.',
      tags: ['working'],
      invoke: {
        src: 'clearUp',
        onDone: {
          target: 'lost',
          actions: { type: 'keepLeftovers', params: output<GivenBack> },
        },
        onError: {
          target: 'lost',
          actions: { type: 'keepLeftoverError', params: ({ event }) => ({ error: event.error }) },
        },
      },
    },

    completed: {
      description: 'The TD is in the destination; nothing of it is left in the source.',
      tags: ['ended'],
      type: 'final',
      output: 'completed' satisfies Verdict,
    },
    sourceKept: {
      description: 'The TD is in the source, as it was.',
      tags: ['ended'],
      type: 'final',
      output: 'sourceKept' satisfies Verdict,
    },
    destinationOnly: {
      description:
        'The TD is in the destination, but it does not run there, or the source is not given back.',
      tags: ['ended'],
      type: 'final',
      output: 'destinationOnly' satisfies Verdict,
    },
    lost: {
      description: 'The TD is in no VM any more.',
      tags: ['ended'],
      type: 'final',
      output: 'lost' satisfies Verdict,
    },
  },
  output: ({ context, event }) => ({
    td: context.td,
    verdict: event.output as Verdict,
    error: context.error,
    leftovers: context.leftovers,
  }),
});
