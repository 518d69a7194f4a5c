/** The text of `--fault` of a rehearsal. */
import { nearest } from '../../documents/nearest.ts';
import { TdctlError } from '../../errors/index.ts';
import { parseRehearsalFault, type RehearsalFault } from '../../rehearsal/index.ts';

/** @throws TdctlError TDCTL_E_USAGE that says which word is wrong, and which was probably meant. */
export function readRehearsalFault(text: string): RehearsalFault {
  const fault = parseRehearsalFault(text);
  if (!('problem' in fault)) return fault;
  const meant = nearest(fault.word, fault.candidates);
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'read a fault',
    place: `--fault ${text}`,
    message: `\`${fault.word}\` ${fault.problem}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    hint: 'docs/simulator.md ("Faults") has the form of every fault; docs/rehearsal.md that of a death',
  });
}
