/** The chart is made of these parts: its types, the actors it needs, its guards and its actions. */
import { assign, setup } from 'xstate';
import { asStepError, unprovided } from '../actor-results.ts';
import type { TdOutput } from '../td-lifecycle/index.ts';
import type {
  FoundVmm,
  VmmReleased,
  VmmSettled,
  VmmTdContext,
  VmmTdInput,
  Watched,
} from './context.ts';
import type { VmmTdEvent } from './events.ts';

/** The words stand in the legend of the chart's picture. */
export const vmmTags = {
  building: 'the VMM and the TD in it are being made',
  whole: 'the TD is here and measured',
  ending: 'the TD is being taken down, or was',
} as const;

type VmmTag = keyof typeof vmmTags;

/** What the steps before could not give back counts as well. */
function nothingIsLeft(context: VmmTdContext, released: VmmReleased): boolean {
  return context.leftovers.length === 0 && released.leftovers.length === 0;
}

export const vmmSetup = setup({
  types: {
    context: {} as VmmTdContext,
    events: {} as VmmTdEvent,
    input: {} as VmmTdInput,
    output: {} as TdOutput,
    tags: {} as VmmTag,
  },
  actors: {
    launchVmm: unprovided<void>(),
    connectVmm: unprovided<void>(),
    buildTd: unprovided<void>(),
    watchRunnable: unprovided<Watched>(),
    enterVcpus: unprovided<void>(),
    watchRunning: unprovided<Watched>(),
    leaveVcpus: unprovided<void>(),
    watchPaused: unprovided<Watched>(),
    quitVmm: unprovided<void>(),
    settleStep: unprovided<VmmSettled>(),
    killVmm: unprovided<void>(),
    releaseVmm: unprovided<VmmReleased>(),
  },
  guards: {
    isFound: (_, { found, as }: { found: FoundVmm; as: FoundVmm }) => found === as,
    comesBack: ({ context }) => context.comesBack,
    isToComeBack: ({ context }, released: VmmReleased) =>
      context.comesBack && context.error === null && nothingIsLeft(context, released),
    isReset: ({ context }, { asksForReset }: Watched) => asksForReset && context.restarts,
    allGivenBack: ({ context }, released: VmmReleased) =>
      context.error === null && nothingIsLeft(context, released),
    allGivenBackAfterError: ({ context }, released: VmmReleased) =>
      context.error !== null && nothingIsLeft(context, released),
  },
  actions: {
    takeKeySlot: assign({ holdsKeySlot: true }),
    keepSettled: assign((_, { holdsKeySlot }: VmmSettled) => ({ holdsKeySlot })),
    comeBack: assign({ comesBack: true }),
    stayDown: assign({ comesBack: false }),
    beginAgain: assign({ holdsKeySlot: false }),
    hasComeBack: assign({ comesBack: false }),
    // The first error is the reason; what fails during the teardown is a leftover.
    keepError: assign(({ context }, { error }: { error: unknown }) => ({
      error: context.error ?? asStepError(error),
    })),
    keepLeftovers: assign(({ context }, { leftovers }: VmmReleased) => ({
      leftovers: [...context.leftovers, ...leftovers],
      holdsKeySlot: false,
    })),
    keepLeftoverError: assign(({ context }, { error }: { error: unknown }) => ({
      leftovers: [...context.leftovers, asStepError(error)],
    })),
  },
});
