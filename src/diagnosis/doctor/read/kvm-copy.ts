/** Reads what a captured tree says of /dev/kvm in the file `kvm.json` (docs/doctor.md). */
import { z } from 'zod';
import type { KvmFacts } from '../facts.ts';
import { deviceSchema, kvmAnswersSchema } from '../facts-schema.ts';
import type { HostFiles } from '../host-files.ts';
import { parsed, type Reading, read } from '../reading.ts';

const copySchema = z.object({
  open: z.string().max(32),
  device: deviceSchema.nullable().default(null),
  answers: kvmAnswersSchema.nullable().default(null),
});

export function readKvmCopy(files: HostFiles): KvmFacts {
  const copy = parsed(files.text('/kvm.json'), (text) => {
    try {
      return copySchema.safeParse(JSON.parse(text)).data;
    } catch {
      return undefined;
    }
  });
  if (copy.state !== 'read') return withoutCopy(files, { ...copy, from: 'kvm.json' });
  const { open, device, answers } = copy.value;
  const from = 'kvm.json';
  return {
    device: device === null ? { state: 'not-asked', from } : read(from, device),
    open: read(from, open),
    answers: answers === null ? { state: 'not-asked', from } : read(from, answers),
  };
}

/** An empty file `dev/kvm` stands for the device; without `dev/` nobody looked. */
function withoutCopy(files: HostFiles, missing: Reading<never>): KvmFacts {
  const hasListing = files.exists('/dev') && !files.exists('/dev/kvm');
  return {
    device: missing,
    open: hasListing ? read('dev/', 'ENOENT') : missing,
    answers: missing,
  };
}
