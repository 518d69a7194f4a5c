/** What the chart is made of: its types, the actors it needs, its guards and its actions. */
import { assign, fromPromise, setup } from 'xstate';
import { asStepError } from '../actor-results.ts';
import type { StepError } from '../td-lifecycle/index.ts';
import type {
  GivenBack,
  MigrationContext,
  MigrationInput,
  MigrationOutput,
  OwnerFound,
  RolledBack,
} from './context.ts';
import type { MigrationEvent } from './events.ts';

/** A machine that nobody gave its effects to must not look as though it worked. */
function unprovided<Output>() {
  return fromPromise<Output>(() =>
    Promise.reject(new Error('intra-host-migration: this actor was not provided')),
  );
}

export const migrationSetup = setup({
  types: {
    context: {} as MigrationContext,
    events: {} as MigrationEvent,
    input: {} as MigrationInput,
    output: {} as MigrationOutput,
    tags: {} as 'working' | 'ended' | 'revocable' | 'irrevocable',
  },
  actors: {
    checkMigration: unprovided<void>(),
    prepareDestination: unprovided<void>(),
    quiesceSource: unprovided<void>(),
    rollBack: unprovided<RolledBack>(),
    moveContext: unprovided<void>(),
    findOwner: unprovided<OwnerFound>(),
    resumeDestination: unprovided<void>(),
    retireSource: unprovided<GivenBack>(),
    clearUp: unprovided<GivenBack>(),
  },
  guards: {
    sourceHasIt: (_, { owner }: OwnerFound) => owner === 'source',
    // Once is enough: a destination that has the TD and does not let it run would be tried for ever.
    destinationMayRunIt: ({ context }, { owner }: OwnerFound) =>
      owner === 'destination' && context.resumed === null,
    destinationHasIt: (_, { owner }: OwnerFound) => owner === 'destination',
    sourceIsKept: (_, { sourceKept }: RolledBack) => sourceKept,
    allDone: ({ context }, { leftovers }: GivenBack) =>
      leftovers.length === 0 && context.resumed === true,
  },
  actions: {
    // The first error is the reason; what fails afterwards is a consequence.
    keepError: assign(({ context }, { error }: { error: unknown }) => ({
      error: context.error ?? asStepError(error),
    })),
    keepLeftovers: assign(({ context }, { leftovers }: GivenBack) => ({
      leftovers: [...context.leftovers, ...leftovers],
    })),
    keepLeftoverError: assign(({ context }, { error }: { error: unknown }) => ({
      leftovers: [...context.leftovers, asStepError(error)],
    })),
    noteResumed: assign({ resumed: true }),
    noteNotResumed: assign({ resumed: false }),
    noteCancelled: assign({
      error: {
        step: 'cancelled',
        code: 'TDCTL_E_INTERRUPTED',
        message: 'the migration was taken back before the point of no return',
      } satisfies StepError,
    }),
  },
});
