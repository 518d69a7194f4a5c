/** The key-slot ledger says who holds how many slots, and which look lost. */
import type { SlotHolder } from './facts.ts';
import { HostFiles } from './host-files.ts';
import { leakEvidence } from './leak-evidence.ts';
import { findInLog } from './log-findings.ts';
import { readKernelLog } from './read/kernel-log.ts';
import { readKeySlots } from './read/key-slots.ts';
import { knownValue } from './reading.ts';

export interface SlotLedger {
  readonly capacity: number;
  readonly used: number;
  readonly free: number;
  readonly holders: readonly SlotHolder[];
  /** The signs that slots are lost, as sentences. They are a suspicion and no proof. */
  readonly leakEvidence: readonly string[];
}

/**
 * The ledger is undefined where the misc cgroup does not count key slots.
 *
 * @param root a directory with copies of a host's files; without it, this machine is read.
 */
export function readSlotLedger(root?: string): SlotLedger | undefined {
  const files = new HostFiles(root);
  const facts = readKeySlots(files);
  const found = findInLog(knownValue(readKernelLog(files))?.lines ?? []);
  const capacity = knownValue(facts.capacity);
  const used = knownValue(facts.used);
  if (capacity === undefined || used === undefined) return undefined;
  return {
    capacity,
    used,
    free: capacity - used,
    holders: facts.holders,
    leakEvidence: leakEvidence(facts, found),
  };
}
