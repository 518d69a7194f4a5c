import type { DoctorFacts } from './facts.ts';
import type { LogFindings } from './log-findings.ts';
import { tellsOfTdx } from './read/kernel-log.ts';
import { knownValue } from './reading.ts';

/** What the kernel log says of TDX. The table of messages is large, and many a log has no line for it. */
export async function foundInLog({ log }: DoctorFacts): Promise<Omit<LogFindings, 'tscKhz'>> {
  const lines = (knownValue(log)?.lines ?? []).filter(tellsOfTdx);
  if (lines.length === 0) return { seamcallFailures: [], leakedHkids: [] };
  const { findInLog } = await import('./log-findings.ts');
  return findInLog(lines);
}
