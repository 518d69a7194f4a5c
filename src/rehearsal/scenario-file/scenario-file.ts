/**
 * Rehearsal files: scenarios that a team keeps. This module loads zod and yaml, so it is imported only
 * where such a file is read.
 */
import { dirname, resolve } from 'node:path';
import type { KernelAbiName } from '../../abi/kvm/kernels/index.ts';
import { invalidFile } from '../../documents/invalid.ts';
import { type FileFormat, readObject } from '../../documents/read.ts';
import { SchemaFields } from '../../documents/schema-fields.ts';
import type { FaultChoice } from '../faults/choice.ts';
import type { Operation, SingleOperation } from '../scenario.ts';
import type { FileOperation, FileStep } from './operation-schema.ts';
import { rehearsalSchema } from './schema.ts';
import { meaningOfNames, namesOf } from './td-names.ts';
import type { UnderKernel } from './under-kernel.ts';

/** A Rehearsal file as it was read. Its TDs are still paths. */
export interface RehearsalFile {
  readonly name: string;
  /** What `--host` and `--kernel` would say; undefined where the command line decides. */
  readonly host?: string | undefined;
  readonly kernel?: string | undefined;
  /** All of it is played under each of these; undefined where there is one kernel. */
  readonly kernels?: readonly string[] | undefined;
  readonly checks: 'all' | 'none';
  readonly slotsLeft?: number | undefined;
  readonly tds: readonly FileTds[];
  readonly operationsUnder: (kernel: string) => readonly Operation[];
  readonly faults: FaultChoice;
  /** Single faults as text, which every run has. */
  readonly fault: readonly string[];
  /** Whether what was asked for and did not come is a finding, or only a note. */
  readonly strict: boolean;
  readonly expectUnder: (kernel: string) => Expectations;
}

/** The TDs of these names are made by one spec. */
export interface FileTds {
  readonly names: readonly string[];
  readonly specPath: string;
}

/** What the run without a sweep must come to; nothing is expected of a number that is undefined. */
export interface Expectations {
  readonly peakSlots?: number | undefined;
  readonly keySlotsLost?: number | undefined;
  readonly tdsLost?: number | undefined;
}

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
  const { operations, expect, expectUnder = {}, tds, ...rest } = spec;
  const meaning = meaningOfNames(tds);
  return {
    ...rest,
    name: metadata.name,
    tds: tds.map((td) => ({
      names: namesOf(td),
      specPath: resolve(dirname(path), td.spec),
    })),
    operationsUnder: (kernel) =>
      operations.flatMap((operation) => operationsOf(operation, { meaning, kernel })),
    expectUnder: (kernel) => ({ ...expect, ...given(expectUnder[kernel as KernelAbiName] ?? {}) }),
  };
}

/** Without the fields that are undefined, which would hide others. */
function given(expectations: Expectations): Expectations {
  return Object.fromEntries(
    Object.entries(expectations).filter(([, value]) => value !== undefined),
  );
}

interface Reading {
  /** The TDs that each name stands for. */
  readonly meaning: ReadonlyMap<string, readonly string[]>;
  readonly kernel: string;
}

/** An operation on several TDs is done with one after the other, inside `together` with all at once. */
function operationsOf({ together, ...step }: FileOperation, reading: Reading): Operation[] {
  if (together === undefined) return stepsOf(step, reading);
  return [{ do: 'together', operations: together.flatMap((each) => stepsOf(each, reading)) }];
}

function stepsOf(step: FileStep, { meaning, kernel }: Reading): SingleOperation[] {
  const operation = stepOf(step, kernel);
  if (operation.do === 'update-module') return [operation];
  return (meaning.get(operation.td) ?? []).map((td) => ({ ...operation, td }));
}

function stepOf(
  { provision, pause, resume, stop, migrate }: FileStep,
  kernel: string,
): SingleOperation {
  if (provision !== undefined) return { do: 'provision', ...asked(provision, kernel) };
  if (pause !== undefined) return { do: 'pause', td: pause };
  if (resume !== undefined) return { do: 'resume', td: resume };
  if (stop !== undefined) return { do: 'stop', td: stop };
  if (migrate !== undefined) return { do: 'migrate', ...asked(migrate, kernel) };
  return { do: 'update-module' };
}

interface Asked<Word> {
  readonly td: string;
  readonly expect?: Word | undefined;
  readonly expectUnder?: UnderKernel<Word> | undefined;
}

function asked<Word, Details extends object>(
  named: string | (Asked<Word> & Details),
  kernel: string,
) {
  if (typeof named === 'string') return { td: named };
  const { expectUnder = {}, ...details } = named;
  return { ...details, expect: expectUnder[kernel as KernelAbiName] ?? details.expect };
}
