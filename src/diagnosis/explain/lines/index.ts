/** Every line of a log that has an answer. Order matters: the first row that fits decides. */
import type { Answer } from '../answer.ts';
import { attestationLines } from './attestation.ts';
import { kvmLines } from './kvm.ts';
import type { LineRow } from './line-row.ts';
import { tdxCoreLines } from './tdx-core.ts';
import { vmmLines } from './vmm.ts';

const lineRows: readonly LineRow[] = [
  ...tdxCoreLines,
  ...kvmLines,
  ...vmmLines,
  ...attestationLines,
];

export function explainLine(line: string): Answer | undefined {
  for (const { pattern, answer, say } of lineRows) {
    const match = pattern.exec(line);
    if (match) return { ...answer, ...say?.(match) };
  }
  return undefined;
}

export const lineAnswers: readonly Answer[] = lineRows.map(({ answer }) => answer);
