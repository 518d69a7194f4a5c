/**
 * This chart moves a TD from one VM to another on the same host.
 *
 *   revocable: checking ──> preparingDestination ──> quiescingSource
 *                 │               │                        │    │
 *              refused       a step fails, or migration.cancel  │
 *                 │               └───> rollingBack <──────┘    │
 *                 v                      │   ^   │              │
 *             sourceKept <───────────────┘   │   │    ═ the point of no return ═
 *                                            │   │              │
 *   irrevocable:            the source still has it             v
 *                                findingOwner <── fails ──── moving
 *                                     │   ^      │              │
 *                                     │   └─ fails, once ──┐    v
 *                                     │          │ resumingDestination
 *                      neither VM has it         │              │
 *                                     v          v              v
 *                  lost <──────── clearingUp <───┘       retiringSource ──> completed
 *                                                               │
 *                                                               └─> destinationOnly
 *
 * The point of no return is the border between the two boxes. KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM may be
 * refused before it has touched anything, or after it has killed the source; its errno does not tell
 * which. So nothing is concluded from it: `findingOwner` asks both VMs.
 *
 * Source and destination have charts of their own. Each state here asks one thing of one of them and
 * waits for it; where that leads is decided here alone.
 *
 * The chart is pure: actions only assign. The effects are the named actors; orchestrators provide them.
 */

import type { SnapshotFrom } from 'xstate';
import { actorError, keepError, output } from '../actor-results.ts';
import type { StateId } from '../state-id.ts';
import { working } from '../working.ts';
import type { Asked, GivenBack, LetGo, Verdict } from './context.ts';
import { migrationSetup } from './setup.ts';
import { clearingUp, irrevocableSteps, revocableSteps, rollbackSteps } from './steps.ts';

export const INTRA_HOST_MIGRATION_VERSION = 3;

const [check, prepareDestination, ...quiesce] = revocableSteps;
const [pauseSource, handOver, readState, writeState] = quiesce;
const [takeDownDestination, probeSource, keepSource, resumeSource] = rollbackSteps;
const [moveContext, askSource, askDestination, ...afterMove] = irrevocableSteps;
const [arrive, restoreMemory, enterDestination, retireSource] = afterMove;

const keepLeftovers = { type: 'keepLeftovers', params: output<GivenBack> } as const;
const keepLeftoverError = { type: 'keepLeftoverError', params: actorError } as const;
const saysYes = { type: 'saysYes', params: output<Asked> } as const;

const rollBack = { target: '#intra-host-migration.rollingBack', actions: keepError() } as const;
const clearUp = { target: '#intra-host-migration.clearingUp', actions: keepError() } as const;
const findOwner = {
  target: '#intra-host-migration.irrevocable.findingOwner',
  actions: ['noteNotResumed', keepError()],
} as const;

export const intraHostMigration = migrationSetup.createMachine({
  id: 'intra-host-migration',
  description: 'A TD moves to another VM on the same host.',
  context: ({ input }) => ({ ...input, error: null, leftovers: [], resumed: null }),
  initial: 'revocable',
  states: {
    revocable: {
      description: 'The source has the TD, and whatever was done can be undone.',
      initial: 'checking',
      on: {
        'migration.cancel': {
          target: '#intra-host-migration.rollingBack',
          actions: 'noteCancelled',
        },
      },
      onDone: { target: 'irrevocable' },
      states: {
        checking: {
          ...working(check, {
            onDone: { target: 'preparingDestination' },
            onError: { target: '#intra-host-migration.sourceKept', actions: keepError() },
          }),
          on: {
            'migration.cancel': {
              target: '#intra-host-migration.sourceKept',
              actions: 'noteCancelled',
            },
          },
        },
        preparingDestination: working(prepareDestination, {
          onDone: [
            { guard: 'wasRunning', target: 'quiescingSource' },
            { target: 'quiescingSource.handingOver' },
          ],
          onError: rollBack,
        }),
        quiescingSource: {
          description: 'The source comes to rest and into the hands of the migration.',
          tags: ['blackout'],
          initial: 'pausingSource',
          onDone: { target: 'quiesced' },
          states: {
            pausingSource: working(pauseSource, {
              onDone: { target: 'handingOver' },
              onError: rollBack,
            }),
            handingOver: working(handOver, {
              onDone: { target: 'readingState' },
              onError: rollBack,
            }),
            readingState: working(readState, {
              onDone: { target: 'writingState' },
              onError: rollBack,
            }),
            // On this side of the point of no return, so that what cannot be written loses nothing.
            writingState: working(writeState, {
              onDone: { target: 'handedOver' },
              onError: rollBack,
            }),
            handedOver: { description: 'Nobody else touches the source now.', type: 'final' },
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
      tags: ['blackout', 'eitherVm'],
      initial: 'takingDownDestination',
      states: {
        takingDownDestination: working(takeDownDestination, {
          onDone: { target: 'probingSource', actions: keepLeftovers },
          onError: { target: 'probingSource', actions: keepLeftoverError },
        }),
        probingSource: working(probeSource, {
          onDone: [
            { guard: saysYes, target: 'keepingSource' },
            { target: '#intra-host-migration.clearingUp' },
          ],
          onError: clearUp,
        }),
        keepingSource: working(keepSource, {
          onDone: [
            { guard: { type: 'shallRun', params: output<LetGo> }, target: 'resumingSource' },
            { target: '#intra-host-migration.sourceKept' },
          ],
          onError: clearUp,
        }),
        resumingSource: working(resumeSource, {
          onDone: { target: '#intra-host-migration.sourceKept' },
          onError: clearUp,
        }),
      },
    },

    irrevocable: {
      description: 'The move is made. Only forward from here.',
      tags: ['pointOfNoReturn'],
      initial: 'moving',
      states: {
        moving: {
          ...working(moveContext, {
            onDone: { target: 'resumingDestination' },
            onError: { target: 'findingOwner', actions: keepError() },
          }),
          tags: ['blackout'],
        },
        findingOwner: {
          description:
            'The move was refused, or the TD does not run: both VMs are asked who has it.',
          tags: ['blackout', 'eitherVm'],
          initial: 'askingSource',
          states: {
            askingSource: working(askSource, {
              onDone: [
                { guard: saysYes, target: '#intra-host-migration.rollingBack' },
                { target: 'askingDestination' },
              ],
              // If it is not known who has the TD, the chart keeps what can be kept: rolling back looks
              // at the source again.
              onError: rollBack,
            }),
            askingDestination: working(askDestination, {
              onDone: [
                {
                  guard: saysYes,
                  target: '#intra-host-migration.irrevocable.resumingDestination',
                },
                { target: '#intra-host-migration.clearingUp' },
              ],
              onError: rollBack,
            }),
          },
        },
        resumingDestination: {
          description: 'The TD goes on in the destination. The blackout ends.',
          tags: ['blackout', 'eitherVm'],
          initial: 'arriving',
          onDone: { target: 'retiringSource', actions: 'noteResumed' },
          states: {
            // Resuming is tried once. A destination that has the TD and does not let it run would be
            // tried for ever.
            arriving: working(arrive, {
              onDone: [
                {
                  guard: 'resumeFailed',
                  target: '#intra-host-migration.irrevocable.retiringSource',
                },
                { target: 'restoringMemory' },
              ],
              onError: [
                {
                  guard: 'resumeFailed',
                  target: '#intra-host-migration.irrevocable.retiringSource',
                  actions: keepError(),
                },
                findOwner,
              ],
            }),
            restoringMemory: working(restoreMemory, {
              onDone: [
                { guard: 'wasRunning', target: 'enteringDestination' },
                { target: 'resumed' },
              ],
              onError: findOwner,
            }),
            enteringDestination: working(enterDestination, {
              onDone: { target: 'resumed' },
              onError: findOwner,
            }),
            resumed: { description: 'The TD is as it was in the source.', type: 'final' },
          },
        },
        retiringSource: {
          ...working(retireSource, {
            onDone: [
              {
                guard: { type: 'allDone', params: output<GivenBack> },
                target: '#intra-host-migration.completed',
              },
              { target: '#intra-host-migration.destinationOnly', actions: keepLeftovers },
            ],
            onError: {
              target: '#intra-host-migration.destinationOnly',
              actions: keepLeftoverError,
            },
          }),
          tags: ['eitherVm'],
        },
      },
    },

    clearingUp: {
      ...working(clearingUp, {
        onDone: { target: 'lost', actions: keepLeftovers },
        onError: { target: 'lost', actions: keepLeftoverError },
      }),
      tags: ['eitherVm'],
    },

    completed: {
      description: 'The TD is in the destination; nothing of it is left in the source.',
      type: 'final',
      output: 'completed' satisfies Verdict,
    },
    sourceKept: {
      description: 'The TD is in the source, as it was.',
      type: 'final',
      output: 'sourceKept' satisfies Verdict,
    },
    destinationOnly: {
      description:
        'The TD is in the destination, but it does not run there, or the source is not given back.',
      type: 'final',
      output: 'destinationOnly' satisfies Verdict,
    },
    lost: {
      description: 'The TD is in no VM any more.',
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

export type MigrationStateId = StateId<SnapshotFrom<typeof intraHostMigration>['value']>;
