/** Finds the errno in a line: by name, by the words of strerror, or by number. */
import { errnoName } from '../../../abi/errno.ts';
import { type ErrnoName, errnoNumbers } from '../../../abi/kvm/errno.ts';

/** As glibc says them. */
export const errnoTexts: Readonly<Record<ErrnoName, string>> = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  EINTR: 'Interrupted system call',
  EIO: 'Input/output error',
  ENXIO: 'No such device or address',
  E2BIG: 'Argument list too long',
  EBADF: 'Bad file descriptor',
  EAGAIN: 'Resource temporarily unavailable',
  ENOMEM: 'Cannot allocate memory',
  EACCES: 'Permission denied',
  EFAULT: 'Bad address',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  ENODEV: 'No such device',
  EINVAL: 'Invalid argument',
  ENFILE: 'Too many open files in system',
  EMFILE: 'Too many open files',
  ENOTTY: 'Inappropriate ioctl for device',
  EFBIG: 'File too large',
  ENOSPC: 'No space left on device',
  ENOSYS: 'Function not implemented',
  EOPNOTSUPP: 'Operation not supported',
  EHWPOISON: 'Memory page has hardware error',
};

/** A line that shows an errno in words has one of these, or a negative number. */
export const wordsOfErrnos: readonly string[] = [
  ...Object.keys(errnoTexts),
  ...Object.values(errnoTexts).map(longestWord),
  ...['inappropriate', 'errno', 'error', 'return', 'ret', 'failed'],
].map((word) => word.toLowerCase());

function longestWord(text: string): string {
  return (text.match(/\w+/g) ?? []).reduce(
    (best, word) => (word.length > best.length ? word : best),
    '',
  );
}

/** Without spaces: one may have been the end of a line. */
const namesByText = Object.entries(errnoTexts)
  .map(([name, text]) => [squeezed(text), name as ErrnoName] as const)
  // "Inappropriate ioctl" is how people shorten it. Longest first: some texts begin another.
  .concat([['inappropriateioctl', 'ENOTTY']])
  .sort(([a], [b]) => b.length - a.length);

function squeezed(text: string): string {
  return text.toLowerCase().replace(/\s/g, '');
}

const byName = /\bE[A-Z0-9]{2,14}\b/gi;
// -28, "= -28", "(-28)", "errno 28", "error code: 28", "return with -22", "failed: 22"
const byNumber =
  /(?:^|[\s=(,:])-(\d{1,3})(?![\w.])|\b(?:errno|error code|return with|ret|failed)[ :=(]{1,3}-?(\d{1,3})(?![\w.])/i;

export function errnoIn(line: string): ErrnoName | undefined {
  for (const [name] of line.matchAll(byName)) {
    const known = name.toUpperCase();
    if (known in errnoNumbers) return known as ErrnoName;
  }
  const letters = squeezed(line);
  const text = namesByText.find(([words]) => letters.includes(words));
  if (text) return text[1];
  const number = byNumber.exec(line);
  const name = number === null ? undefined : errnoName(Number(number[1] ?? number[2]));
  return name !== undefined && name in errnoNumbers ? (name as ErrnoName) : undefined;
}
