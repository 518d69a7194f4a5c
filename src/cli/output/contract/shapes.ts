/** What several documents have in common: one name, one type and one unit each. */
import { z } from 'zod';

/** A BigInt is printed so (documents/data-values.ts). */
type HexText = `0x${string}`;

export const text = z.string();
export const texts = z.array(z.string());
export const flag = z.boolean();
export const count = z.int().min(0);
export const bytes = z.int().meta({ id: 'bytes', description: 'A number of bytes.' });
export const ms = z.number().min(0).meta({
  id: 'ms',
  description: 'Milliseconds, rounded to microseconds, by the clock of the machine.',
});
export const mrtd = z
  .string()
  .regex(/^[0-9a-f]{96}$/)
  .meta({ id: 'mrtd', description: 'A measurement as 96 hexadecimal digits.' });
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const hexDigits = z.string().regex(/^0x[0-9a-fA-F]+$/);
/** What is text already where it is printed. */
export const hexText = hexDigits;
export const hex = hexDigits as unknown as z.ZodType<HexText>;
export const address = hexDigits.meta({
  id: 'address',
  description: 'A guest physical address.',
}) as unknown as z.ZodType<HexText>;

export const host = z
  .strictObject({
    name: z.string().meta({ description: 'The host as --host would name it.' }),
    simulated: z.boolean().meta({
      description: 'Whether anything of it is simulated; of soft that is the TDX module.',
    }),
  })
  .meta({ id: 'host', description: 'The host that the document speaks of.' });

const kernelId = z
  .string()
  .meta({ description: 'The KVM rules that answer, as `tdctl kernels` lists them, or a release.' });
export const kernelFields = { id: kernelId };
export const kernel = z.strictObject(kernelFields).meta({ id: 'kernel' });

export const moduleFields = {
  version: z.string().meta({ description: 'The release of the TDX module.' }),
};
export const module = z.strictObject(moduleFields).meta({ id: 'module' });

export const keySlotFields = {
  total: count.meta({ description: 'The private key IDs for guests.' }),
  used: count,
  free: count,
};
export const keySlots = z.strictObject(keySlotFields).meta({ id: 'keySlots' });

const bound = count.nullable();
export const limits = z
  .strictObject({
    module: bound.meta({ description: "The TDX module's max_vcpus_per_td." }),
    presentCpus: bound.meta({ description: 'Null where the kernel does not bind TDs by it.' }),
    kvm: bound.meta({ description: 'KVM_MAX_VCPUS.' }),
    perVm: bound.meta({ description: 'KVM_CAP_MAX_VCPUS of the fd of a TD.' }),
    effective: count.meta({ description: 'The least of them: so many vCPUs one TD may have.' }),
    binding: z.enum(['module', 'presentCpus', 'kvm', 'perVm']),
    maxVcpuIds: count.meta({ description: 'KVM_MAX_VCPU_IDS bounds the ids, not their number.' }),
  })
  .meta({
    id: 'limits',
    description: 'What bounds the vCPUs of one TD; null where it does not, or is not known.',
  });

export const firmware = z
  .strictObject({
    path: text,
    varsPath: text.optional(),
    sha256,
    sizeBytes: bytes,
    loadAddress: address.optional(),
  })
  .meta({ id: 'firmware' });

export const memorySlot = z
  .strictObject({
    slot: count,
    holds: z.enum(['ram', 'firmware']),
    gpa: address,
    sizeBytes: bytes,
  })
  .meta({ id: 'memorySlot' });

export const initialPages = z.array(
  z.strictObject({ section: text, gpa: address, pages: count, measured: flag }),
);

/** `requests` of a plan have no answer yet. */
export const expectedRequest = z.strictObject({ request: text, count });
export const answeredRequest = expectedRequest.extend({
  answer: text.meta({ description: '`ok`, or the name of the errno.' }),
});

/** What ended a command, or would end it (docs/errors.md). */
export const errorFields = z
  .strictObject({
    code: z.string().regex(/^TDCTL_E_/),
    exitCode: count,
    op: text,
    message: text,
    place: text.nullable(),
    details: texts,
    hint: text.nullable(),
    causes: texts,
  })
  .meta({ id: 'error' });

/** What a step of a run met (docs/events.md). */
export const stepError = z
  .strictObject({
    step: text,
    code: text,
    message: text,
    details: texts.optional(),
    hint: text.optional(),
    request: text.optional(),
    capability: text.optional(),
    errno: text.optional(),
    hwStatus: text.optional(),
    check: text.optional(),
    leaf: z.strictObject({ name: text, status: text }).optional(),
  })
  .meta({ id: 'stepError' });

export const reason = z
  .strictObject({
    id: text,
    text,
    holds: z.enum(['always', 'now']),
  })
  .meta({ id: 'reason' });

/** How many TDs a host takes (docs/fit.md). */
export const roomFields = {
  taken: count.nullable(),
  isEnough: flag,
  demands: z.array(
    z.strictObject({
      name: text,
      asked: count.nullable(),
      taken: count.nullable(),
      stops: z.array(reason),
    }),
  ),
  expectedTimes: z.strictObject({ host, tds: count, buildMs: ms, teardownMs: ms }).nullable(),
};

/** Every document begins with what it is. */
export function document<Kind extends string, Shape extends z.ZodRawShape>(
  kind: Kind,
  shape: Shape,
) {
  return z.strictObject({ kind: z.literal(kind), version: z.literal(1), ...shape });
}
