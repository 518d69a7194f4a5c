/** The chart is made of these parts: its types, the actors it needs, its guards and its actions. */
import { assign, setup } from 'xstate';
import { asStepError, unprovided } from '../actor-results.ts';
import type { StepError } from '../step-error.ts';
import type {
  Finalized,
  LimitsRead,
  Released,
  Settled,
  TdContext,
  TdInput,
  TdOutput,
} from './context.ts';
import type { TdEvent } from './events.ts';
import { bindingLimit, limitNames } from './limits.ts';

/** The words stand in the legend of the chart's picture. */
export const tdTags = {
  building: 'the VM and what belongs to it are being made',
  whole: 'the TD is here and measured, and can be moved',
  ending: 'the TD is being taken down, or was',
} as const;

type TdTag = keyof typeof tdTags;

export const tdSetup = setup({
  types: {
    context: {} as TdContext,
    events: {} as TdEvent,
    input: {} as TdInput,
    output: {} as TdOutput,
    tags: {} as TdTag,
  },
  actors: {
    createVm: unprovided<void>(),
    readLimits: unprovided<LimitsRead>(),
    capVcpus: unprovided<void>(),
    initializeTd: unprovided<void>(),
    createVcpus: unprovided<void>(),
    initializeVcpus: unprovided<void>(),
    addMemory: unprovided<void>(),
    finalizeTd: unprovided<Finalized>(),
    setCpuid: unprovided<void>(),
    mirrorMemory: unprovided<void>(),
    enterVcpus: unprovided<void>(),
    watchVcpus: unprovided<void>(),
    leaveVcpus: unprovided<void>(),
    stopVcpus: unprovided<void>(),
    settleStep: unprovided<Settled>(),
    terminateTd: unprovided<void>(),
    releaseTd: unprovided<Released>(),
  },
  guards: {
    vcpusFit: ({ context }, { limits }: LimitsRead) => context.vcpus <= bindingLimit(limits).value,
    holdsKeySlot: ({ context }) => context.holdsKeySlot,
    hasRun: ({ event }) => 'hasRun' in event && event.hasRun,
    mustInitializeFirst: ({ context }) => context.initializesFirst,
    keepsKeySlot: (_, settled: Settled) => settled.holdsKeySlot,
    allGivenBack: ({ context }, released: Released) =>
      context.error === null && released.leftovers.length === 0,
    allGivenBackAfterError: ({ context }, released: Released) =>
      context.error !== null && released.leftovers.length === 0,
  },
  actions: {
    keepLimits: assign((_, { limits }: LimitsRead) => ({ limits })),
    refuseVcpus: assign(({ context }, { limits }: LimitsRead) => {
      const { name, value } = bindingLimit(limits);
      const error: StepError = {
        step: 'readingLimits',
        code: 'TDCTL_E_VCPU_LIMIT',
        message: `${context.vcpus} vCPUs asked for, ${value} possible: ${limitNames[name]} binds`,
        hint: `ask for at most ${value} vCPUs (spec.vcpus, spec.maxVcpus), or choose another host`,
      };
      return { limits, error };
    }),
    takeKeySlot: assign({ holdsKeySlot: true }),
    dropKeySlot: assign({ holdsKeySlot: false }),
    keepArrived: assign((_, { mrtd }: Finalized) => ({ mrtd, holdsKeySlot: true })),
    keepMrtd: assign((_, { mrtd }: Finalized) => ({ mrtd })),
    keepSettled: assign((_, { holdsKeySlot }: Settled) => ({ holdsKeySlot })),
    // The first error is the reason; what fails during the teardown is a leftover.
    keepError: assign(({ context }, { error }: { error: unknown }) => ({
      error: context.error ?? asStepError(error),
    })),
    keepLeftovers: assign((_, { leftovers }: Released) => ({ leftovers, holdsKeySlot: false })),
    keepLeftoverError: assign(({ context }, { error }: { error: unknown }) => ({
      leftovers: [...context.leftovers, asStepError(error)],
    })),
  },
});
