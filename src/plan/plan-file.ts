/** A saved plan holds what it was made from, so that a run can tell whether the world has moved. */

import { resolve } from 'node:path';
import { z } from 'zod';
import { invalidFile } from '../documents/invalid.ts';
import { type FileFormat, readObject } from '../documents/read.ts';
import { SchemaFields } from '../documents/schema-fields.ts';
import { readTextFile } from '../documents/text-file.ts';
import { TdctlError } from '../errors/index.ts';
import { writeWholeFile } from '../files/index.ts';
import type { TdPlan } from './td-plan.ts';

const kind = 'tdctl.io/plan';
const version = 1;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits');

/** The host is as wide as the facts of any release of tdctl, and no deeper: what differs is stale. */
const hostFacts = z.record(
  z.string(),
  z.union([scalar, z.record(z.string(), z.union([scalar, z.array(scalar)]))]),
);

const schema = z.strictObject({
  kind: z.literal(kind),
  version: z.literal(version),
  /** The choice as `--host` and `--kernel` take it. */
  choice: z.strictObject({ host: z.string(), kernel: z.string().optional() }),
  specPath: z.string().min(1),
  /** This is compared field by field before a run. */
  made: z.strictObject({
    spec: z.strictObject({ sha256 }),
    firmware: z.strictObject({ sha256 }),
    /** Kernel and initrd, where the file names them. */
    boot: z.strictObject({ sha256 }).optional(),
    measurement: z.strictObject({
      mrtd: z.string().regex(/^[0-9a-f]{96}$/, 'must be 96 hexadecimal digits'),
    }),
    host: hostFacts,
  }),
});

export type SavedPlan = z.output<typeof schema>;

const again = 'make it again: `tdctl plan SPEC --save FILE`';

const format: FileFormat<typeof schema> = {
  kind: 'saved plan',
  schema,
  fields: new SchemaFields(schema),
  help: again,
};

/** @throws TdctlError where it cannot be written, or a file of that name is there. */
export async function savePlan(
  file: string,
  {
    plan,
    kernel,
    force,
  }: {
    readonly plan: TdPlan;
    readonly kernel: string | undefined;
    /** Whether a file of that name is replaced. */
    readonly force: boolean;
  },
): Promise<void> {
  const saved: SavedPlan = {
    kind,
    version,
    choice: { host: plan.facts.name, ...(kernel !== undefined && { kernel }) },
    specPath: resolve(plan.spec.source.path),
    made: madeFrom(plan),
  };
  const text = `${JSON.stringify(saved, null, 2)}\n`;
  await writeWholeFile({ path: file, what: 'plan', existing: force ? 'replace' : 'refuse' }, text);
}

/**
 * @throws TdctlError TDCTL_E_NOT_FOUND; TDCTL_E_NOT_READABLE; TDCTL_E_SPEC_INVALID for a file that is no
 * saved plan, and for a damaged one with the place of every finding.
 */
export async function readSavedPlan(file: string): Promise<SavedPlan> {
  const text = await readTextFile(file, {
    kind: format.kind,
    starter: () => 'make one: `tdctl plan SPEC --save FILE`',
  });
  return parseSavedPlan(text, file);
}

/** @throws TdctlError as {@link readSavedPlan}. */
export function parseSavedPlan(text: string, path: string): SavedPlan {
  // What is none at all is not judged field by field.
  const found = /"kind"\s*:\s*"tdctl\.io\/plan"/.test(text)
    ? /"version"\s*:\s*(\d{1,9})\b/.exec(text)?.[1]
    : undefined;
  if (Number(found) !== version) throw notThisPlan(path, found);
  const reading = readObject(text, { path, format });
  if ('findings' in reading) throw invalidFile(reading, { ...format, path });
  return reading.data;
}

function notThisPlan(place: string, found: string | undefined): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_SPEC_INVALID',
    op: 'read the saved plan',
    place,
    message:
      found === undefined
        ? 'this is not a plan that `tdctl plan --save` wrote'
        : `this plan has version ${found}, and this tdctl reads version ${version}`,
    hint: again,
  });
}

/** @throws TdctlError TDCTL_E_PLAN_STALE naming every difference. */
export function checkUnchanged(
  saved: SavedPlan,
  { plan, file }: { readonly plan: TdPlan; readonly file: string },
): void {
  const now = flatten(madeFrom(plan));
  const then = flatten(saved.made);
  const fields = [...new Set([...then.keys(), ...now.keys()])];
  const differences = fields
    .filter((field) => then.get(field) !== now.get(field))
    .map(
      (field) => `${field}: was ${then.get(field) ?? 'absent'}, is ${now.get(field) ?? 'absent'}`,
    );
  if (differences.length === 0) return;
  throw new TdctlError({
    code: 'TDCTL_E_PLAN_STALE',
    op: 'compare with the saved plan',
    place: file,
    message: 'the host or the spec has changed since this plan was made',
    details: differences,
    hint: 'look at the new plan (`tdctl plan`), and save it again if it is what you want',
  });
}

/** Gives all that decides what a run does, but for free slots, which change all the time. */
function madeFrom({ spec, firmware, boot, facts, predictedMrtd }: TdPlan): SavedPlan['made'] {
  const record = {
    spec: { sha256: spec.source.sha256 },
    firmware: { sha256: firmware.sha256 },
    ...(boot && { boot: { sha256: boot.sha256 } }),
    measurement: { mrtd: predictedMrtd },
    host: facts,
  };
  // Facts that are not known are undefined, which a file does not have.
  return JSON.parse(JSON.stringify(record));
}

/** Turns `{ a: { b: 1 } }` into `a.b` with the value `1`. */
function flatten(value: unknown, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[path, String(value)]]);
  return new Map(
    Object.entries(value).flatMap(([key, child]) => [
      ...flatten(child, path === '' ? key : `${path}.${key}`),
    ]),
  );
}
