/** One step of a RunScript file: a map with one key, what the guest does. */
import { z } from 'zod';
import { sizeOf, unsigned } from './unsigned.ts';

const gpa = unsigned(51, {
  description: 'Guest physical address, without the shared bit.',
  example: 0x1000000,
});

const status = z
  .enum(['success', 'retry', 'invalidOperand', 'alignError', 'subfuncUnsupported'])
  .optional()
  .meta({ description: 'What the guest must find in R10.', examples: ['success'] });

const register = (name: string) =>
  unsigned(64, { description: `What the guest must find in ${name}.`, example: 2 }).optional();

const port = z
  .int()
  .min(0)
  .max(0xffff)
  .meta({ description: 'I/O port.', examples: [0x402] });

const portSize = z.literal([1, 2, 4]).meta({ description: 'Bytes.', examples: [1] });
const mmioSize = z.literal([1, 2, 4, 8]).meta({ description: 'Bytes.', examples: [4] });
const written = unsigned(64, { description: 'What is written.', example: 0x41 });
const read = unsigned(64, { description: 'What the guest must read.', example: 0x26 }).optional();

const flag = (description: string) =>
  z
    .literal(true)
    .optional()
    .meta({ description, examples: [true] });

interface Transfer {
  readonly sizeBytes: number;
  readonly data?: bigint | undefined;
  readonly expect?: bigint | undefined;
}

/** A value that does not fit in the transfer cannot be what was meant. */
function fits(transfer: Transfer, context: z.RefinementCtx): void {
  for (const field of ['data', 'expect'] as const) {
    const value = transfer[field];
    if (value === undefined || value >> BigInt(8 * transfer.sizeBytes) === 0n) continue;
    const message = `0x${value.toString(16)} does not fit in ${bytes(transfer.sizeBytes)}`;
    context.addIssue({ code: 'custom', path: [field], message });
  }
}

const bytes = (count: number) => (count === 1 ? '1 byte' : `${count} bytes`);

/** The message goes in eight registers (tdx_panic() of the Linux guest, and what QEMU makes of it). */
const longestMessageBytes = 64;

const transfer = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape).superRefine((given, context) => fits(given as Transfer, context));

const verb = <Action extends z.ZodType>(action: Action, description: string, example: object) =>
  action.optional().meta({ description, examples: [example] });

const verbs = {
  out: verb(transfer({ port, sizeBytes: portSize, data: written }), 'Write to an I/O port.', {
    port: 0x402,
    sizeBytes: 1,
    data: 0x41,
  }),
  in: verb(transfer({ port, sizeBytes: portSize, expect: read }), 'Read from an I/O port.', {
    port: 0x71,
    sizeBytes: 1,
    expect: 0x26,
  }),
  mmioWrite: verb(
    transfer({ address: gpa, sizeBytes: mmioSize, data: written }),
    'Write to memory of a device.',
    { address: 0xfec00000, sizeBytes: 4, data: 1 },
  ),
  mmioRead: verb(
    transfer({ address: gpa, sizeBytes: mmioSize, expect: read }),
    'Read from memory of a device.',
    { address: 0xfec00010, sizeBytes: 4 },
  ),
  mapGpa: verb(
    z.strictObject({
      gpa,
      size: sizeOf('How much of it.', '2MiB'),
      to: z
        .enum(['shared', 'private'])
        .meta({ description: 'What it becomes.', examples: ['shared'] }),
      expect: status,
    }),
    'Convert memory; KVM asks the VMM in pieces of 2MiB.',
    { gpa: 0x1000000, size: '2MiB', to: 'shared', expect: 'success' },
  ),
  getQuote: verb(
    z.strictObject({ gpa, size: sizeOf('Length of the buffer.', '16KiB'), expect: status }),
    'Ask for a quote, with a buffer in shared memory.',
    { gpa: 0x1000000, size: '16KiB' },
  ),
  getTdVmCallInfo: verb(
    z.strictObject({
      leaf: unsigned(64, {
        description: '0: what every host has; 1: what the VMM adds.',
        example: 1,
      }).prefault(1),
      expect: verb(
        z.strictObject({
          status,
          r11: register('R11'),
          r12: register('R12'),
          r13: register('R13'),
          r14: register('R14'),
        }),
        'What the guest must find.',
        { r11: 2 },
      ),
    }),
    'Ask which TDVMCALLs there are.',
    { leaf: 1 },
  ),
  setupEventNotifyInterrupt: verb(
    z.strictObject({
      vector: unsigned(64, { description: 'Interrupt vector, 32 to 255.', example: 0x50 }),
      expect: status,
    }),
    'Name the interrupt that tells of a quote.',
    { vector: 0x50, expect: 'success' },
  ),
  reportFatalError: verb(
    z.strictObject({
      code: unsigned(64, { description: 'Error code, as R12.', example: 0 }).prefault(0),
      message: z
        .string()
        .refine((text) => Buffer.byteLength(text) <= longestMessageBytes, {
          error: `must be at most ${longestMessageBytes} bytes: it goes in eight registers`,
        })
        .default('')
        .meta({ description: 'Text for the VMM.', examples: ['no memory'] }),
      gpa: gpa
        .optional()
        .meta({ description: 'Where the guest left more to read.', examples: [0x1000000] }),
    }),
    'Give up with an error.',
    { message: 'no memory' },
  ),
  memoryFault: verb(
    z.strictObject({
      gpa,
      size: sizeOf('How much of it.', '4KiB'),
      access: z
        .enum(['shared', 'private'])
        .default('private')
        .meta({ description: 'As what the guest touched it.', examples: ['private'] }),
      errno: z
        .enum(['EFAULT', 'EHWPOISON'])
        .default('EFAULT')
        .meta({ description: 'What KVM_RUN fails with.', examples: ['EFAULT'] }),
    }),
    'Touch memory that KVM cannot map: KVM_EXIT_MEMORY_FAULT.',
    { gpa: 0x2000000, size: '4KiB', access: 'shared' },
  ),
  touchUnacceptedMemory: flag('Touch private memory that was not accepted: the VM dies.'),
  shutdown: flag('Triple fault: KVM_EXIT_SHUTDOWN.'),
  hold: flag('Run without an exit until KVM_RUN is interrupted.'),
};

const plainStep = z.strictObject(verbs).superRefine(oneVerb);

export const stepSchema = z
  .strictObject({
    ...verbs,
    repeat: verb(
      z.strictObject({
        times: z
          .int()
          .min(1)
          .max(1_000_000_000)
          .meta({ description: 'How often.', examples: [100] }),
        steps: z
          .array(plainStep)
          .min(1)
          .max(1000)
          .meta({
            description: 'What is repeated.',
            examples: [[{ in: { port: 0x71, sizeBytes: 1 } }]],
          }),
      }),
      'The same again and again.',
      { times: 100, steps: [{ in: { port: 0x71, sizeBytes: 1 } }] },
    ),
  })
  .superRefine(oneVerb);

export type FileStep = z.output<typeof stepSchema>;

function oneVerb(step: object, context: z.RefinementCtx): void {
  const given = Object.values(step).filter((value) => value !== undefined).length;
  if (given === 1) return;
  const message = given === 0 ? 'does nothing; name one action' : 'must be one action, not several';
  context.addIssue({ code: 'custom', path: [], message });
}
