/** A right call may still meet with a signal, or with a lack of memory, entropy or key slots. */
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

/**
 * These checks concern what the program itself did before, though their errno points to something else.
 */
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
