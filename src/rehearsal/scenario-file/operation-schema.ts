/** One operation of a Rehearsal file is a map with one key, the verb. */
import { z } from 'zod';
import { underKernel } from './under-kernel.ts';

const td = z.string().min(1);
const about = (description: string) => ({ description, examples: ['web'] });

const provisioned = z.enum(['done', 'refused']).meta({ id: 'provisioned' });
const moved = z.enum(['completed', 'sourceKept', 'destinationOnly', 'lost']).meta({ id: 'moved' });

/** What must come of an operation, and what else under single kernels. */
function expectations<Word extends string>(
  word: z.ZodEnum<{ [Each in Word]: Each }>,
  { verb, example }: { readonly verb: string; readonly example: Word },
) {
  return {
    expect: word.optional().meta({ description: 'What must come of it.', examples: [example] }),
    expectUnder: underKernel(word, `${verb}UnderKernel`)
      .optional()
      .meta({
        description: 'What must come of it under these kernels, in place of `expect`.',
        examples: [{ 'series-v9': example }],
      }),
  };
}

const provision = z.union([
  td,
  z.strictObject({
    td: td.meta(about('The TD that is built.')),
    ...expectations(provisioned, { verb: 'provisioned', example: 'refused' }),
  }),
]);

const migrate = z.union([
  td,
  z.strictObject({
    td: td.meta(about('The TD that moves.')),
    vcpus: z
      .int()
      .min(1)
      .max(4096)
      .optional()
      .meta({ description: 'vCPUs of the destination, if others.', examples: [2] }),
    cgroup: z
      .strictObject({
        path: z
          .string()
          .startsWith('/')
          .meta({ description: 'misc cgroup of the destination.', examples: ['/vm-b'] }),
        max: z
          .int()
          .min(0)
          .max(1_000_000)
          .optional()
          .meta({ description: 'The most TDs it allows.', examples: [0] }),
      })
      .optional()
      .meta({ description: 'Where the destination runs.', examples: [{ path: '/vm-b' }] }),
    ...expectations(moved, { verb: 'moved', example: 'completed' }),
  }),
]);

const verbs = {
  provision: provision.optional().meta(about('Build this TD and enter its vCPUs.')),
  pause: td.optional().meta(about('Make the vCPUs of this TD leave KVM_RUN.')),
  resume: td.optional().meta(about('Enter the vCPUs of this TD again.')),
  migrate: migrate.optional().meta(about('Move this TD to another VM.')),
  stop: td.optional().meta(about('Take this TD down.')),
  updateModule: z
    .literal(true)
    .optional()
    .meta({ description: 'Update the TDX module, once no TD is being built.', examples: [true] }),
};

const stepSchema = z.strictObject(verbs).superRefine(oneVerb);

export const operationSchema = z
  .strictObject({
    ...verbs,
    together: z
      .array(stepSchema)
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: 'Operations at the same time.', examples: [[{ provision: 'web' }]] }),
  })
  .superRefine(oneVerb);

export type FileOperation = z.output<typeof operationSchema>;
export type FileStep = z.output<typeof stepSchema>;

function oneVerb(step: object, context: z.RefinementCtx): void {
  const given = Object.values(step).filter((value) => value !== undefined).length;
  if (given === 1) return;
  const message =
    given === 0 ? 'does nothing; name one operation' : 'must be one operation, not several';
  context.addIssue({ code: 'custom', path: [], message });
}
