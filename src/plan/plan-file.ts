/** A saved plan holds what it was made from, so that a run can tell whether the world has moved. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoOf } from '../errors/errno.ts';
import { TdctlError } from '../errors/index.ts';
import { writeWholeFile } from '../files/index.ts';
import type { TdPlan } from './td-plan.ts';

const kind = 'tdctl.io/plan';
const version = 1;

export interface SavedPlan {
  readonly kind: typeof kind;
  readonly version: typeof version;
  /** The choice as `--host` and `--kernel` take it. */
  readonly choice: { readonly host: string; readonly kernel: string };
  readonly specPath: string;
  /** This is compared field by field before a run. */
  readonly made: Readonly<Record<string, unknown>>;
}

/** @throws TdctlError where it cannot be written, or a file of that name is there. */
export async function savePlan(
  file: string,
  { plan, kernel }: { readonly plan: TdPlan; readonly kernel: string },
): Promise<void> {
  const saved: SavedPlan = {
    kind,
    version,
    choice: { host: plan.facts.name, kernel },
    specPath: resolve(plan.spec.source.path),
    made: await madeFrom(plan),
  };
  const text = `${JSON.stringify(saved, null, 2)}\n`;
  await writeWholeFile({ path: file, what: 'plan', existing: 'refuse' }, text);
}

/** @throws TdctlError for a file that is no saved plan. */
export async function readSavedPlan(file: string): Promise<SavedPlan> {
  const saved = parse(await readText(file));
  if (saved?.kind === kind && saved.version === version) return saved as SavedPlan;
  throw new TdctlError({
    code: 'TDCTL_E_NOT_READABLE',
    op: 'read the saved plan',
    place: file,
    message:
      saved?.kind === kind
        ? `this plan has version ${String(saved.version)}, and this tdctl reads version ${version}`
        : 'this is not a plan that `tdctl plan --save` wrote',
    hint: 'make it again: `tdctl plan SPEC --save FILE`',
  });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const missing = errnoOf(cause) === 'ENOENT';
    throw new TdctlError({
      code: missing ? 'TDCTL_E_NOT_FOUND' : 'TDCTL_E_NOT_READABLE',
      op: 'read the saved plan',
      place: file,
      message: missing ? 'there is no such file' : 'the saved plan cannot be read',
      hint: 'make one: `tdctl plan SPEC --save FILE`',
      cause: missing ? undefined : cause,
    });
  }
}

function parse(text: string): Partial<SavedPlan> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** @throws TdctlError TDCTL_E_PLAN_STALE naming every difference. */
export async function checkUnchanged(
  saved: SavedPlan,
  { plan, file }: { readonly plan: TdPlan; readonly file: string },
): Promise<void> {
  const now = flatten(await madeFrom(plan));
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
async function madeFrom({ spec, firmware, facts, predictedMrtd }: TdPlan) {
  const specText = await readFile(spec.source.path);
  const record = {
    spec: { sha256: createHash('sha256').update(specText).digest('hex') },
    firmware: { sha256: firmware.sha256 },
    measurement: { mrtd: predictedMrtd },
    host: facts,
  };
  return JSON.parse(JSON.stringify(record)) as Record<string, unknown>;
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
