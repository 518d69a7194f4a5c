/** Fixtures are kernel logs as users posted them, cut to what matters. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Diagnosis, explainLog } from '../../../src/diagnosis/explain/index.ts';

const folder = join(import.meta.dirname, '../../fixtures/dmesg');

export function dmesg(name: string): Buffer {
  return readFileSync(join(folder, `${name}.txt`));
}

export function diagnose(...chunks: readonly (Uint8Array | string)[]): Promise<Diagnosis> {
  return explainLog(chunks.map((chunk) => Buffer.from(chunk)));
}

export function ids({ explanations }: Pick<Diagnosis, 'explanations'>): readonly string[] {
  return explanations.map(({ answer }) => answer.id);
}
