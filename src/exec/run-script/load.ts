/** RunScript files. This module loads zod and yaml, so it is imported only where such a file is read. */
import { z } from 'zod';
import { envelope } from '../../documents/envelope.ts';
import { invalidFile } from '../../documents/invalid.ts';
import { type FileFormat, type FileSource, readObject } from '../../documents/read.ts';
import { SchemaFields } from '../../documents/schema-fields.ts';
import { readTextFile } from '../../documents/text-file.ts';
import type { GuestAction, RunScript, ScriptStep } from './run-script.ts';
import { type FileStep, stepSchema } from './step-schema.ts';

/** A kernel that is built for the most vCPUs has this KVM_MAX_VCPU_IDS. */
const mostVcpuIds = 16_384;

const ids = z.union([
  z
    .array(
      z
        .int()
        .min(0)
        .max(mostVcpuIds - 1),
    )
    .min(1)
    .max(mostVcpuIds),
  z.literal('others'),
]);

export const runScriptSchema = envelope({
  kind: 'RunScript',
  what: 'the script',
  exampleName: 'chatter',
  spec: z
    .strictObject({
      vcpus: z
        .array(
          z.strictObject({
            ids: ids.meta({
              description: 'Which vCPUs do this: their ids, or others for all that are not named.',
              examples: [[0]],
            }),
            steps: z
              .array(stepSchema)
              .min(1)
              .max(10_000)
              .meta({ description: 'What they do, in order.', examples: [[{ shutdown: true }]] }),
          }),
        )
        .min(1)
        .max(mostVcpuIds)
        .superRefine(namedOnce)
        .meta({
          description: 'What the guest does, by vCPU.',
          examples: [[{ ids: [0], steps: [{ shutdown: true }] }]],
        }),
    })
    .meta({ description: 'What each guest does.', examples: [{}] }),
});

function namedOnce(
  programs: readonly { readonly ids: readonly number[] | 'others' }[],
  context: z.RefinementCtx,
): void {
  const seen = new Set<number | 'others'>();
  for (const [index, program] of programs.entries()) {
    const named = program.ids === 'others' ? (['others'] as const) : program.ids;
    for (const [nth, id] of named.entries()) {
      if (!seen.has(id)) {
        seen.add(id);
        continue;
      }
      const path = program.ids === 'others' ? [index, 'ids'] : [index, 'ids', nth];
      const message = id === 'others' ? 'is there twice' : `names vCPU ${id} a second time`;
      context.addIssue({ code: 'custom', path, message });
    }
  }
}

const format: FileFormat<typeof runScriptSchema> = {
  kind: 'RunScript',
  schema: runScriptSchema,
  fields: new SchemaFields(runScriptSchema),
  help: 'docs/run-script.md explains every field; examples/exec/ has files that are right',
};

/** @throws TdctlError TDCTL_E_NOT_FOUND, _NOT_READABLE, _SPEC_INVALID. */
export async function loadRunScript(path: string): Promise<RunScript> {
  return parseRunScript(await readRunScript(path), { path });
}

/** @throws TdctlError TDCTL_E_NOT_FOUND, _NOT_READABLE. */
export function readRunScript(path: string): Promise<string> {
  return readTextFile(path, {
    kind: format.kind,
    starter: () => 'copy one of examples/exec/ to start from',
  });
}

/** @throws TdctlError TDCTL_E_SPEC_INVALID with every finding and its `file:line:col`. */
export function parseRunScript(text: string, { path }: { readonly path: string }): RunScript {
  const reading = readObject(text, { path, format });
  if ('findings' in reading) throw invalidFile(reading, { ...format, path });
  const { metadata, spec } = reading.data;
  return {
    name: metadata.name,
    programs: spec.vcpus.map((program, index) => ({
      vcpus: program.ids,
      steps: stepsOf(program.steps, `spec.vcpus.${index}.steps`, reading.source),
    })),
  };
}

function stepsOf(steps: readonly FileStep[], field: string, source: FileSource): ScriptStep[] {
  return steps.map((step, index) => {
    const at = `${field}.${index}`;
    const [verb = 'hold', value] =
      Object.entries(step).find(([, given]) => given !== undefined) ?? [];
    const place = source.locate(`${at}.${verb}`);
    if (step.repeat === undefined) return { place, action: actionOf(verb, value) };
    const { times, steps: repeated } = step.repeat;
    const inner = stepsOf(repeated, `${at}.repeat.steps`, source);
    return { place, action: { do: 'repeat', times, steps: inner } };
  });
}

/** The schema has the fields of the actions, by their names. */
function actionOf(verb: string, value: unknown): GuestAction {
  return { do: verb, ...(typeof value === 'object' ? value : {}) } as GuestAction;
}
