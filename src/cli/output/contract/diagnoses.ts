/** Documents that say what something means: `explain`, `trace lint`, errors. */
import { z } from 'zod';
import {
  count,
  document,
  errorFields,
  flag,
  hex,
  hexText,
  host,
  kernel,
  text,
  texts,
} from './shapes.ts';

const numberOrNull = z.int().nullable();

const statusWord = z
  .strictObject({
    word: hexText,
    name: text.nullable(),
    source: text,
    class: z.strictObject({ number: count, name: text.nullable() }),
    isError: flag,
    nonRecoverable: flag,
    fatal: flag,
    hostRecoverable: flag,
    recovery: text,
    operandBits: count,
    operand: z.strictObject({ number: count, name: text, what: text }).nullable(),
    msr: numberOrNull,
    leaf: z.strictObject({ word: hex.nullable(), name: text.nullable() }).nullable(),
    returnedBy: texts,
  })
  .nullable();

const refusal = z
  .strictObject({
    request: text,
    on: text.nullable(),
    errno: text,
    kernel: kernel.nullable(),
    checks: z.array(
      z.strictObject({
        stepNumber: numberOrNull,
        check: text.nullable(),
        when: text,
        remedy: text.nullable(),
        leaves: text.nullable(),
        vmDead: flag,
        unreachable: flag,
      }),
    ),
  })
  .nullable();

const said = { line: count, text, count };

export const explanationDocument = document('tdctl.Explanation', {
  linesRead: count,
  place: text.nullable(),
  explanations: z.array(
    z.strictObject({
      id: text,
      rank: text,
      ...said,
      statusWord,
      refusal,
      printed: z
        .strictObject({
          by: text,
          place: text.nullable(),
          source: text,
          releases: text.nullable(),
        })
        .nullable(),
      bookRow: z.record(text, z.unknown()).nullable(),
      meaning: text,
      causes: texts,
      next: text,
    }),
  ),
  notKnown: z.array(z.strictObject({ ...said, statusWord, refusal })),
  left: count,
});

export const answersDocument = document('tdctl.Answers', {
  answers: z.array(z.strictObject({ id: text, meaning: text })),
});

export const traceLintDocument = document('tdctl.TraceLint', {
  file: text,
  format: text,
  host,
  kernel,
  calls: count,
  replayed: count,
  tds: count,
  otherLines: count,
  findings: z.array(
    z.strictObject({
      id: text,
      severity: z.enum(['error', 'warning', 'note']),
      line: count,
      call: text.optional(),
      problem: text,
      rule: text.optional(),
      source: text.optional(),
      remedy: text.optional(),
      inferred: text.optional(),
      count,
    }),
  ),
  further: z.record(z.enum(['error', 'warning', 'note']), count),
});

export const errorDocument = document('tdctl.Error', { error: errorFields });
