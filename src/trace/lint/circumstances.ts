/** What may happen to a call that is right: a signal, no memory, no entropy, no key slot. */
import type { CheckName } from '../../abi/kvm/checks/index.ts';
import type { RefusedOutcome } from '../record.ts';

const circumstances: ReadonlySet<string> = new Set([
  'EINTR',
  'EAGAIN',
  'ENOMEM',
  'EMFILE',
  'ENFILE',
  'EBUSY',
  'ENOSPC',
  'EHWPOISON',
]);

/** Checks of what the program itself did before, though their errno speaks of something else. */
const ofTheProgram: ReadonlySet<string | undefined> = new Set<CheckName>([
  'init-vm.vcpus-exist',
  'enable-cap.max-vcpus.vcpus-exist',
]);

export function isCircumstance({
  errno,
  check,
}: Pick<RefusedOutcome, 'errno'> & { readonly check?: string | undefined }): boolean {
  return circumstances.has(errno) && !ofTheProgram.has(check);
}
