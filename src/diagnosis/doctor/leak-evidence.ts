import type { KeySlotFacts } from './facts.ts';
import type { LogFindings } from './log-findings.ts';

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
