/** The key-slot ledger says who holds how many slots, and which look lost. */
import type { KeySlotFacts, SlotHolder } from './facts.ts';
import { HostFiles } from './host-files.ts';
import { findInLog, type LogFindings } from './log-findings.ts';
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

/**
 * A failed TDH.MNG.KEY.FREEID leaves the slot charged and says "HKID n is leaked". The charge of a
 * cgroup that was removed goes to its parent, where no process explains it.
 */
export function leakEvidence(
  facts: KeySlotFacts,
  found: Pick<LogFindings, 'leakedHkids'>,
): readonly string[] {
  const { leakedHkids } = found;
  const fromLog =
    leakedHkids.length === 0
      ? []
      : [
          `the kernel log says that HKID ${leakedHkids.map(({ hkid }) => hkid).join(', ')} ${leakedHkids.length === 1 ? 'is' : 'are'} leaked`,
        ];
  const fromCgroups = facts.holders
    // A VMM that lives in the root cgroup is nothing unusual.
    .filter(({ processes, cgroup }) => processes === 0 && cgroup !== '/')
    .map(
      ({ cgroup, slots }) =>
        `${slots === 1 ? '1 slot is' : `${slots} slots are`} charged to ${cgroup}, which has no process`,
    );
  return [...fromLog, ...fromCgroups];
}
