/** The text of `--fault` of a rehearsal. */
import { nearest } from '../../documents/nearest.ts';
import { TdctlError } from '../../errors/index.ts';
import {
  isCallDeath,
  isRecordDeath,
  parseRehearsalFault,
  type RehearsalFault,
} from '../../rehearsal/index.ts';

/**
 * A process dies at a call where tdctl runs all in one, and at a record where each TD has a keeper.
 *
 * @throws TdctlError TDCTL_E_USAGE.
 */
export function faultOf(
  text: string,
  { processes }: { readonly processes: boolean },
): RehearsalFault {
  const fault = readRehearsalFault(text);
  if (processes && isCallDeath(fault)) {
    throw elsewhere(text, {
      message:
        'a process of its own is killed as a record of a journal is written, and not at a call',
      hint: 'name the record, such as `RECORD#17=source-dies`, or leave out --processes',
    });
  }
  if (!processes && isRecordDeath(fault)) {
    throw elsewhere(text, {
      message: 'only a keeper writes records, and here one process does everything',
      hint: 'add --processes, or name a call, such as `KVM_ENABLE_CAP#6=source-dies`',
    });
  }
  return fault;
}

function elsewhere(
  text: string,
  words: { readonly message: string; readonly hint: string },
): TdctlError {
  return new TdctlError({
    ...{ code: 'TDCTL_E_USAGE', op: 'read a fault', place: `--fault ${text}`, ...words },
  });
}

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
