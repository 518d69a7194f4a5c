/**
 * Rehearsal files: scenarios that a team keeps. This module loads zod and yaml, so it is imported only
 * where such a file is read.
 */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { envelope } from '../../documents/envelope.ts';
import { invalidFile } from '../../documents/invalid.ts';
import { nearest } from '../../documents/nearest.ts';
import { type FileFormat, readObject } from '../../documents/read.ts';
import { SchemaFields } from '../../documents/schema-fields.ts';
import { type FaultChoice, faultChoices } from '../faults/choice.ts';
import type { Operation } from '../scenario.ts';
import { type FileOperation, type FileStep, operationSchema } from './operation-schema.ts';
import { namedTds, orderMistakes } from './order.ts';

/** A Rehearsal file as it was read. Its TDs are still paths. */
export interface RehearsalFile {
  readonly name: string;
  /** What `--host` and `--kernel` would say; undefined where the command line decides. */
  readonly host?: string | undefined;
  readonly kernel?: string | undefined;
  readonly checks: 'all' | 'none';
  readonly slotsLeft?: number | undefined;
  readonly tds: readonly { readonly name: string; readonly specPath: string }[];
  readonly operations: readonly Operation[];
  readonly faults: FaultChoice;
  /** Single faults as text, which every run has. */
  readonly fault: readonly string[];
  readonly expect: Expectations;
}

/** What the run without a sweep must come to; nothing is expected of a number that is undefined. */
export interface Expectations {
  readonly peakSlots?: number | undefined;
  readonly keySlotsLost?: number | undefined;
  readonly tdsLost?: number | undefined;
}

const name = z
  .string()
  .min(1)
  .max(63)
  .meta({ description: 'What it is called.', examples: ['web'] });

const count = (description: string) =>
  z
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .meta({ description, examples: [1] });

interface NamesAndOperations {
  readonly tds: readonly { readonly name: string }[];
  readonly operations: readonly FileOperation[];
}

/** Wrong names are refused first: the order of operations on TDs that are not there says nothing. */
function refuseWrongNamesAndOrder(
  { tds, operations }: NamesAndOperations,
  context: z.RefinementCtx,
): void {
  const refuse = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  const names = tds.map((td) => td.name);
  for (const [index, each] of names.entries()) {
    if (names.indexOf(each) !== index) {
      refuse(['tds', index, 'name'], 'is the name of another TD too');
    }
  }
  const unknown = namedTds(operations).filter(({ td }) => !names.includes(td));
  for (const { td, path } of unknown) {
    const meant = nearest(td, names);
    const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
    refuse(['operations', ...path], `names no TD of this file${hint}`);
  }
  if (unknown.length > 0) return;
  for (const { path, problem } of orderMistakes(operations)) {
    refuse(['operations', ...path], problem);
  }
}

export const rehearsalSchema = envelope({
  kind: 'Rehearsal',
  what: 'the rehearsal',
  exampleName: 'upgrade',
  spec: z
    .strictObject({
      host: z
        .string()
        .min(1)
        .optional()
        .meta({ description: 'Host, as --host takes it; sim only.', examples: ['sim:gnr-2.0'] }),
      kernel: z
        .string()
        .min(1)
        .optional()
        .meta({ description: 'Kernel ABI, as --kernel takes it.', examples: ['rfc-migration-v2'] }),
      checks: z
        .enum(['all', 'none'])
        .default('all')
        .meta({
          description: 'none lets the kernel answer what tdctl would refuse.',
          examples: ['all'],
        }),
      slotsLeft: count('Key slots that TDs of others leave free.'),
      tds: z
        .array(
          z.strictObject({
            name,
            spec: z
              .string()
              .min(1)
              .meta({
                description: 'TrustDomain file, beside this one.',
                examples: ['hello.yaml'],
              }),
          }),
        )
        .min(1)
        .max(1000)
        .meta({ description: 'The TDs.', examples: [[{ name: 'web', spec: 'hello.yaml' }]] }),
      operations: z
        .array(operationSchema)
        .min(1)
        .max(10_000)
        .meta({ description: 'What is done, in order.', examples: [[{ provision: 'web' }]] }),
      faults: z
        .enum(faultChoices)
        .default('none')
        .meta({ description: 'Which faults are played, besides `fault`.', examples: ['each'] }),
      fault: z
        .array(z.string().min(1))
        .default([])
        .meta({ description: 'Faults of every run.', examples: [['KVM_CREATE_VCPU#3=ENOMEM']] }),
      expect: z
        .strictObject({
          peakSlots: count('Key slots in use at the most.'),
          keySlotsLost: count('Key slots that are lost.'),
          tdsLost: count('TDs that are lost.'),
        })
        .default({})
        .meta({ description: 'What the run must come to.', examples: [{ keySlotsLost: 0 }] }),
    })
    .superRefine(refuseWrongNamesAndOrder)
    .meta({ description: 'What is rehearsed.', examples: [{}] }),
});

const format: FileFormat<typeof rehearsalSchema> = {
  kind: 'Rehearsal',
  schema: rehearsalSchema,
  fields: new SchemaFields(rehearsalSchema),
  help: 'docs/rehearsal.md explains every field; examples/rehearsals/ has files that are right',
};

/** @throws TdctlError TDCTL_E_SPEC_INVALID with every finding and its `file:line:col`. */
export function parseRehearsalFile(
  text: string,
  { path }: { readonly path: string },
): RehearsalFile {
  const reading = readObject(text, { path, format });
  if ('findings' in reading) throw invalidFile(reading, { ...format, path });
  const { metadata, spec } = reading.data;
  return {
    ...spec,
    name: metadata.name,
    tds: spec.tds.map((td) => ({ name: td.name, specPath: resolve(dirname(path), td.spec) })),
    operations: spec.operations.map(operationOf),
  };
}

function operationOf({ together, ...step }: FileOperation): Operation {
  if (together !== undefined) return { do: 'together', operations: together.map(stepOf) };
  return stepOf(step);
}

function stepOf({ provision, pause, resume, stop, migrate }: FileStep): Operation {
  if (provision !== undefined) return { do: 'provision', ...tdAnd(provision) };
  if (pause !== undefined) return { do: 'pause', td: pause };
  if (resume !== undefined) return { do: 'resume', td: resume };
  if (stop !== undefined) return { do: 'stop', td: stop };
  if (migrate !== undefined) return { do: 'migrate', ...tdAnd(migrate) };
  return { do: 'update-module' };
}

function tdAnd<Details extends { readonly td: string }>(named: string | Details) {
  return typeof named === 'string' ? { td: named } : named;
}
