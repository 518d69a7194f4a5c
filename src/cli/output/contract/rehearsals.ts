/** Documents of `rehearse`: a rehearsal, a comparison of kernels, a matrix. */
import { z } from 'zod';
import {
  answeredRequest,
  count,
  document,
  errorFields,
  flag,
  host,
  kernel,
  ms,
  stepError,
  text,
  texts,
} from './shapes.ts';

const result = z
  .strictObject({
    operation: text,
    result: text,
    verdict: text.optional(),
    expected: text.optional(),
    startMs: ms,
    endMs: ms,
    error: stepError.nullable().optional(),
  })
  .meta({ id: 'operationResult' });

const run = z.strictObject({
  results: z.array(result),
  steps: z.array(
    z.strictObject({
      lane: text,
      step: text,
      result: text,
      startMs: ms,
      endMs: ms,
      requests: z.array(answeredRequest),
    }),
  ),
  keySlotUse: z.strictObject({
    peak: count,
    samples: z.array(z.strictObject({ atMs: ms, used: count })),
  }),
  blackouts: z.array(
    z.strictObject({
      td: text,
      hop: count,
      ms,
      parts: z
        .array(z.strictObject({ step: text, ms }))
        .optional()
        .meta({ description: 'The steps in it, where a guest was really paused and entered.' }),
      brownoutMs: ms
        .optional()
        .meta({ description: 'From that entry until every vCPU of the guest has counted on.' }),
    }),
  ),
  losses: z.array(z.strictObject({ what: text, count, by: text, words: text })),
  violations: z.array(z.strictObject({ invariant: text, detail: text, after: text.optional() })),
  unmet: texts.meta({ description: 'The run never came to these faults.' }),
  elapsedMs: ms,
  clock: text,
});

const sweep = z.strictObject({
  which: text,
  seed: count.optional(),
  always: texts,
  cases: count,
  played: count,
  standsFor: count,
  cut: flag,
  outcomes: z.record(text, count),
  rows: z.array(
    z.strictObject({
      lane: text,
      state: text,
      elapsedMs: ms,
      cells: z.array(
        z.strictObject({
          fault: text,
          outcome: text,
          count,
          standsFor: count,
          example: texts,
        }),
      ),
    }),
  ),
  violationCount: count,
  violations: z.array(z.strictObject({ invariant: text, detail: text, faults: texts })),
  reproductions: z.array(z.strictObject({ invariant: text, commandLine: text, tries: count })),
});

export const rehearsalDocument = document('tdctl.Rehearsal', {
  name: text,
  host,
  kernel,
  run,
  sweep: sweep.optional(),
  proofs: z
    .array(z.strictObject({ proof: text, state: text, problem: text.optional() }))
    .optional(),
  strict: flag,
  notAsAsked: texts.meta({ description: 'What was asked for and did not come.' }),
});

export const comparisonDocument = document('tdctl.KernelComparison', {
  kernels: z.array(
    z.strictObject({
      kernel,
      description: text,
      movesTds: flag,
      verdict: text,
      refused: z
        .strictObject({
          step: text,
          request: text,
          capability: text.optional(),
          errno: text,
          hwStatus: text.optional(),
          check: text.optional(),
          leaf: stepError.shape.leaf,
        })
        .optional(),
      requestCount: count,
      peakSlots: count,
      slotsLost: count,
      chargesLost: count,
      blackoutMs: ms.nullable(),
      lateFaults: z.strictObject({ played: count, lost: count }),
      fullHost: text,
      violationCount: count,
      results: z.array(result),
      elapsedMs: ms,
      notAsAsked: texts,
    }),
  ),
});

export const matrixDocument = document('tdctl.RehearsalMatrix', {
  name: text,
  host,
  exitCode: count,
  kernels: z.array(
    z.strictObject({
      kernel,
      exitCode: count,
      error: errorFields.nullable(),
      rehearsal: rehearsalDocument.nullable(),
    }),
  ),
});
