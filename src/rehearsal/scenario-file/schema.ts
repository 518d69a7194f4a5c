/** The fields of a Rehearsal file. */
import { z } from 'zod';
import { envelope } from '../../documents/envelope.ts';
import { faultChoices } from '../faults/choice.ts';
import { operationSchema } from './operation-schema.ts';
import { refuseMistakes } from './rules.ts';
import { kernelNames, underKernel } from './under-kernel.ts';

const name = z
  .string()
  .min(1)
  .max(63)
  .meta({ description: 'What it is called.', examples: ['web'] });

const number = (description: string) =>
  z
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .meta({ description, examples: [1] });

const kernel = z.enum(kernelNames);

const td = z.strictObject({
  name,
  spec: z
    .string()
    .min(1)
    .meta({ description: 'TrustDomain file, beside this one.', examples: ['hello.yaml'] }),
  count: z
    .int()
    .min(1)
    .max(10_000)
    .default(1)
    .meta({
      description: 'So many of them: with 3, web is web-1, web-2 and web-3.',
      examples: [20],
    }),
});

const expectations = z
  .strictObject({
    peakSlots: number('Key slots in use at the most.'),
    keySlotsLost: number('Key slots that are lost.'),
    tdsLost: number('TDs that are lost.'),
  })
  .meta({ id: 'expectations' });

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
      kernel: kernel.optional().meta({
        description: 'Kernel ABI, as --kernel takes it.',
        examples: ['rfc-migration-v2'],
      }),
      kernels: z
        .array(kernel)
        .min(1)
        .optional()
        .meta({
          description:
            'Kernel ABIs, under each of which all of it is played; in place of `kernel`.',
          examples: [['rfc-migration-v2', 'series-v9']],
        }),
      checks: z
        .enum(['all', 'none'])
        .default('all')
        .meta({
          description: 'none lets the kernel answer what tdctl would refuse.',
          examples: ['all'],
        }),
      slotsLeft: number('Key slots that TDs of others leave free.'),
      tds: z
        .array(td)
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
      strict: z
        .boolean()
        .default(true)
        .meta({
          description: 'Whether what was asked for and did not come is a finding, or only a note.',
          examples: [false],
        }),
      expect: expectations
        .default({})
        .meta({ description: 'What the run must come to.', examples: [{ keySlotsLost: 0 }] }),
      expectUnder: underKernel(expectations, 'expectationsUnderKernel')
        .optional()
        .meta({
          description:
            'What it must come to under these kernels; each number goes before `expect`.',
          examples: [{ 'series-v9': { keySlotsLost: 1 } }],
        }),
    })
    .superRefine(refuseMistakes)
    .meta({ description: 'What is rehearsed.', examples: [{}] }),
});
