/** The text of `--fault`. */
import { nearest } from '../../documents/nearest.ts';
import { TdctlError } from '../../errors/index.ts';
import { type FaultRecord, type FaultTextProblem, parseFault } from '../../simulator/index.ts';

/** @throws TdctlError TDCTL_E_USAGE that says which word is wrong, and which was probably meant. */
export function readFault(text: string): FaultRecord {
  const fault = parseFault(text);
  if (!('problem' in fault)) return fault;
  throw new TdctlError({
    code: 'TDCTL_E_USAGE',
    op: 'read a fault',
    place: `--fault ${text}`,
    message: `\`${fault.word}\` ${fault.problem}${question(fault)}`,
    hint: 'docs/simulator.md ("Faults") has the form of every fault, with examples',
  });
}

function question({ word, candidates }: FaultTextProblem): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
