/** Checks the shape of {@link DoctorFacts} in a file. Import it only where a file is read. */
import { z } from 'zod';
import type { DoctorFacts, KvmAnswers } from './facts.ts';
import { msrNotAsked } from './read/msrs.ts';
import type { Reading } from './reading.ts';

const count = z.int().nonnegative();
const hex = z.string().regex(/^0x[0-9a-f]{1,16}$/);
const text = z.string().max(4096);
const texts = z.array(text).max(4096);
const register = z.int().min(0).max(0xffff_ffff);

const reading = <Value extends z.ZodType>(value: Value) =>
  z.discriminatedUnion('state', [
    z.object({ state: z.literal('read'), from: text, value }),
    z.object({ state: z.enum(['absent', 'denied', 'unreadable', 'not-asked']), from: text }),
  ]) as unknown as z.ZodType<Reading<z.output<Value>>>;

const cpuidEntries = z
  .array(
    z.object({
      function: register,
      index: register,
      flags: register,
      eax: register,
      ebx: register,
      ecx: register,
      edx: register,
    }),
  )
  .max(1024);

const tdxVm = z.object({
  maxVcpus: count,
  supportedAttributes: hex,
  supportedXfam: hex,
  configurableCpuid: cpuidEntries,
});

export const kvmAnswersSchema: z.ZodType<KvmAnswers> = z.object({
  apiVersion: count,
  capabilities: z.record(text, z.int()),
  supportedCpuid: cpuidEntries,
  tdxVm: tdxVm.nullable(),
});

export const deviceSchema = z.object({ mode: text, owner: text, group: text });

export const factsSchema: z.ZodType<DoctorFacts> = z.object({
  environment: z.object({ container: reading(text), vendor: reading(text) }),
  cpu: reading(
    z.object({
      vendor: text,
      family: count.nullable(),
      model: count.nullable(),
      modelName: text,
      microcode: text,
      flags: texts,
      bugs: texts,
      addressBits: count.optional(),
    }),
  ),
  topology: z.object({
    presentCpus: reading(count),
    onlineCpus: reading(count),
    packages: reading(count),
    threadsPerCore: reading(count),
  }),
  msrs: z.object({
    IA32_MKTME_KEYID_PARTITIONING: reading(hex),
    IA32_TME_ACTIVATE: reading(hex),
    IA32_SEAMRR_PHYS_MASK: reading(hex),
    IA32_MTRRCAP: reading(hex).default(msrNotAsked('IA32_MTRRCAP')),
    SGX_AND_MCHECK_STATUS: reading(hex).default(msrNotAsked('SGX_AND_MCHECK_STATUS')),
  }),
  kernel: z.object({
    release: reading(text),
    commandLine: reading(texts),
    config: reading(z.record(text, text)),
    otherTdxKernels: texts,
    powerStates: reading(texts),
    modprobeOptions: texts,
    kexecLoaded: reading(z.boolean()),
    kvmIntel: reading(z.record(text, text)),
    kvm: reading(z.record(text, text)),
  }),
  log: reading(z.object({ lines: texts, fromBoot: z.boolean() })),
  tdxHost: z.object({
    version: reading(text),
    seamldrVersion: reading(text),
    remainingUpdates: reading(count),
  }),
  keySlots: z.object({
    hierarchy: z.enum(['v2', 'hybrid', 'v1', 'none']),
    capacity: reading(count),
    used: reading(count),
    holders: z
      .array(z.object({ cgroup: text, slots: count, processes: count.nullable() }))
      .max(100_000),
    ownLimit: reading(z.object({ max: count, used: count })),
  }),
  memory: reading(z.object({ totalKib: count, availableKib: count.nullable() })),
  kvm: z.object({
    device: reading(deviceSchema),
    open: reading(text),
    answers: reading(kvmAnswersSchema),
  }),
  attestation: z.object({
    quoteService: reading(text),
    registration: reading(z.object({ complete: z.boolean(), errorCode: count })),
  }),
  firmware: reading(z.array(z.object({ path: text, problem: text.nullable() })).max(100)),
});
