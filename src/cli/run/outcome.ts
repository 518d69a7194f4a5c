/** From how a TD ended to the error that the command ends with. */
import type { TdOutput } from '../../../machines/td-lifecycle/index.ts';
import { type ErrorInWords, wordsOf } from '../../diagnosis/refusals.ts';
import { TdctlError } from '../../errors/index.ts';
import type { HostFacts } from '../../host/facts.ts';
import { stepFailure } from '../words.ts';
import type { SlotsAround } from './view.ts';

export function throwFailure({ error, leftovers }: TdOutput, host: HostFacts): void {
  if (leftovers.length > 0) throw stuck(leftovers.map((leftover) => wordsOf(leftover, host)));
  if (error) throw stepFailure(wordsOf(error, host));
}

function stuck(leftovers: readonly ErrorInWords[]): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_STUCK',
    op: 'releasing',
    message: `${leftovers.length} of the things the TD held could not be given back`,
    details: leftovers.map(({ message }) => message),
    hint: 'the kernel frees what is left when this process ends; if `tdctl host` then still shows the key slot in use, it is lost until the host is rebooted',
  });
}

/** A simulated host is ours alone: a slot more in use than before is one that this run lost. */
export function checkSlots({ before, after }: SlotsAround): void {
  if (!before || !after || after.used <= before.used) return;
  throw new TdctlError({
    code: 'TDCTL_E_STUCK',
    op: 'give back the key slot',
    message: `the host has ${after.used} key slots in use after the run, and had ${before.used} before`,
    hint: 'run again with --log-level debug and look at the last requests',
  });
}

export function interrupted(reason: string): TdctlError {
  return new TdctlError({
    code: 'TDCTL_E_INTERRUPTED',
    op: 'run',
    message: `interrupted (${reason}) before the TD was runnable; everything was given back`,
  });
}
