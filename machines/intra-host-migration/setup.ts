/** The chart is made of these parts: its types, the actors it needs, its guards and its actions. */
import { assign, setup } from 'xstate';
import { asStepError, unprovided } from '../actor-results.ts';
import type { StepError } from '../td-lifecycle/index.ts';
import type {
  Asked,
  GivenBack,
  LetGo,
  MigrationContext,
  MigrationInput,
  MigrationOutput,
} from './context.ts';
import type { MigrationEvent } from './events.ts';

/** The words stand in the legend of the chart's picture. */
export const migrationTags = {
  blackout: 'the vCPUs of a TD that ran are out of KVM_RUN',
  eitherVm: 'an earlier step may have changed which VM has the TD',
  pointOfNoReturn: 'its red border: up to there the move can be taken back, and not beyond',
} as const;

type MigrationTag = keyof typeof migrationTags;

export const migrationSetup = setup({
  types: {
    context: {} as MigrationContext,
    events: {} as MigrationEvent,
    input: {} as MigrationInput,
    output: {} as MigrationOutput,
    tags: {} as MigrationTag,
  },
  actors: {
    checkMigration: unprovided<void>(),
    prepareDestination: unprovided<void>(),
    pauseSource: unprovided<void>(),
    handOver: unprovided<void>(),
    readState: unprovided<void>(),
    writeState: unprovided<void>(),
    takeDownDestination: unprovided<GivenBack>(),
    probeSource: unprovided<Asked>(),
    keepSource: unprovided<LetGo>(),
    resumeSource: unprovided<void>(),
    moveContext: unprovided<void>(),
    askSource: unprovided<Asked>(),
    askDestination: unprovided<Asked>(),
    arrive: unprovided<void>(),
    restoreMemory: unprovided<void>(),
    enterDestination: unprovided<void>(),
    retireSource: unprovided<GivenBack>(),
    clearUp: unprovided<GivenBack>(),
  },
  guards: {
    wasRunning: ({ context }) => context.wasRunning,
    saysYes: (_, { hasTd }: Asked) => hasTd,
    shallRun: ({ context }, { stopped }: LetGo) => context.wasRunning && !stopped,
    resumeFailed: ({ context }) => context.resumed === false,
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
